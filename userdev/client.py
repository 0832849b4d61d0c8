# SPDX-License-Identifier: MIT
"""What a program does to dma-heaps, udmabuf and sw_sync: plain open and ioctl, for tests of `dmabuf run`."""
import array
import ctypes
import fcntl
import mmap
import os
import struct

SYNC, EXPORT, IMPORT = 0x40086200, 0xC0086202, 0x40086203
SET_NAME = 0x40086201
ALLOC = 0xC0184800
MERGE, FILE_INFO, SET_DEADLINE = 0xC0303E03, 0xC0383E04, 0x40103E05
CREATE_FENCE, INC, GET_DEADLINE = 0xC0285700, 0x40045701, 0xC0105702
UDMABUF_CREATE, UDMABUF_CREATE_LIST = 0x40187542, 0x40087543
READ, WRITE, END = 1, 2, 4
PAGE = mmap.PAGESIZE
SEAL_SHRINK, SEAL_WRITE = 2, 8
MFD_ALLOW_SEALING = 2


def alloc(size=PAGE, heap="system", flags=os.O_RDWR | os.O_CLOEXEC):
    """A buffer's descriptor."""
    device = os.open(f"/dev/dma_heap/{heap}", os.O_RDWR | os.O_CLOEXEC)
    try:
        data = bytearray(struct.pack("=QIIQ", size, 0, flags, 0))
        fcntl.ioctl(device, ALLOC, data)
        return struct.unpack("=QIIQ", data)[1]
    finally:
        os.close(device)


def sync(fd, flags):
    fcntl.ioctl(fd, SYNC, struct.pack("=Q", flags))


def set_name(fd, name):
    text = ctypes.create_string_buffer(name.encode())
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ioctl(fd, ctypes.c_ulong(SET_NAME), text):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def fdinfo(fd):
    """The lines of /proc/self/fdinfo."""
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def memfd(pages, seals=SEAL_SHRINK):
    fd = os.memfd_create("test", MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.ftruncate(fd, pages * PAGE)
    fcntl.fcntl(fd, 1033, seals)
    return fd


def udmabuf(pieces, flags=1):
    """@pieces is a list of (memfd, offset, bytes)."""
    device = os.open("/dev/udmabuf", os.O_RDWR)
    try:
        data = struct.pack("=II", flags, len(pieces))
        for piece, offset, size in pieces:
            data += struct.pack("=IIQQ", piece, 0, offset, size)
        return fcntl.ioctl(device, UDMABUF_CREATE_LIST, bytearray(data))
    finally:
        os.close(device)


def timeline():
    return os.open("/sys/kernel/debug/sync/sw_sync", os.O_RDWR)


def fence(line, value):
    data = bytearray(struct.pack("=I32si", value, b"", 0))
    fcntl.ioctl(line, CREATE_FENCE, data)
    return struct.unpack("=I32si", data)[2]


def inc(line, by=1):
    fcntl.ioctl(line, INC, struct.pack("=I", by))


def merge(name, one, other):
    data = bytearray(struct.pack("=32siiII", name.encode(), other, 0, 0, 0))
    fcntl.ioctl(one, MERGE, data)
    return struct.unpack("=32siiII", data)[2]


def info(fd):
    """(status, [(status, driver, timeline), ...]) of a sync_file."""
    data = bytearray(struct.pack("=32siIIIQ", b"", 0, 0, 0, 0, 0))
    fcntl.ioctl(fd, FILE_INFO, data)
    count = struct.unpack("=32siIIIQ", data)[3]
    each = array.array("B", bytes(80 * count))
    data = bytearray(struct.pack("=32siIIIQ", b"", 0, 0, count, 0, each.buffer_info()[0]))
    fcntl.ioctl(fd, FILE_INFO, data)
    fences = [struct.unpack_from("=32s32siIQ", each, 80 * i) for i in range(count)]
    return struct.unpack("=32siIIIQ", data)[1], [(f[2], f[1].rstrip(b"\0").decode(), f[0].rstrip(b"\0").decode()) for f in fences]


def export(fd, flags):
    data = bytearray(struct.pack("=Ii", flags, -1))
    fcntl.ioctl(fd, EXPORT, data)
    return struct.unpack("=Ii", data)[1]


def import_fence(fd, flags, sync_file):
    fcntl.ioctl(fd, IMPORT, struct.pack("=Ii", flags, sync_file))


def mmap_error(fd, length, offset):
    """The errno of a shared mmap() that Python would not try."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    where = libc.mmap(None, ctypes.c_size_t(length), 3, 1, fd, ctypes.c_long(offset))
    return ctypes.get_errno() if where == ctypes.c_void_p(-1).value else 0


def error(call, *args):
    """The errno that @call fails with, 0 if it does not."""
    try:
        call(*args)
    except OSError as e:
        return e.errno
    return 0
