# SPDX-License-Identifier: MIT
"""A GStreamer pipeline whose source takes its buffers from /dev/dma_heap/system, as memory:DMABuf, and hands them on.

    gstreamer.py FRAMES FILE        status 0, and the frames' bytes are in FILE; 77 there is no heap

Frame N is bytes of N.  identity and filesink get GstDmaBufMemory: the writer of FILE maps each buffer.
"""
import fcntl
import mmap
import os
import struct
import sys

import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstAllocators", "1.0")
gi.require_version("GstApp", "1.0")
from gi.repository import Gst, GstAllocators, GstApp  # noqa: E402,F401

SIZE = 64 * 64 * 4
ALLOC, SYNC = 0xC0184800, 0x40086200


def frame(heap, value):
    data = bytearray(struct.pack("=QIIQ", SIZE, 0, os.O_RDWR | os.O_CLOEXEC, 0))
    fcntl.ioctl(heap, ALLOC, data)
    fd = struct.unpack("=QIIQ", data)[1]
    fcntl.ioctl(fd, SYNC, struct.pack("=Q", 2))
    with mmap.mmap(fd, SIZE) as memory:
        memory[:] = bytes([value]) * SIZE
    fcntl.ioctl(fd, SYNC, struct.pack("=Q", 2 | 4))
    return fd


def main():
    try:
        heap = os.open("/dev/dma_heap/system", os.O_RDWR)
    except FileNotFoundError:
        print("no /dev/dma_heap/system")
        return 77
    Gst.init(None)
    line = Gst.parse_launch(f"appsrc name=source format=time ! identity silent=false ! filesink location={sys.argv[2]}")
    source = line.get_by_name("source")
    source.set_property("caps", Gst.Caps.from_string("video/x-raw(memory:DMABuf),format=RGBA,width=64,height=64,framerate=25/1"))
    allocator = GstAllocators.DmaBufAllocator.new()
    line.set_state(Gst.State.PLAYING)
    for value in range(int(sys.argv[1])):
        memory = GstAllocators.DmaBufAllocator.alloc(allocator, frame(heap, value), SIZE)
        assert GstAllocators.is_dmabuf_memory(memory)
        buffer = Gst.Buffer.new()
        buffer.append_memory(memory)
        buffer.pts = value * Gst.SECOND // 25
        source.emit("push-buffer", buffer)
    source.emit("end-of-stream")
    message = line.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    line.set_state(Gst.State.NULL)
    return 0 if message and message.type == Gst.MessageType.EOS else 1


sys.exit(main())
