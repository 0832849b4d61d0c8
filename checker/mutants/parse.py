# SPDX-License-Identifier: MIT
"""Enough C to find the conditions, stores, calls and unions of kernel-style functions, by place in the text.

Works on the text as it stands, before the preprocessor, so that what it finds can be shown and edited there. What it does not
understand is an error, never passed over. Not for C in general: a declaration is known by the name of its type.
"""
import re

TOKEN = re.compile(r"""
    (?P<space>\s+|/\*.*?\*/|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*$)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<value>\d[\w.]*|'(?:\\.|[^'])'|"(?:\\.|[^"\\])*")
    |(?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:;,.(){}\[\]])
    """, re.X | re.S | re.M)
TYPES = set("""bool char coherence_set const dma_addr_t enum gfp_t int long short signed size_t static struct u16 u32 u64 u8 union
               unsigned void volatile""".split())
ASSIGN = {"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="}
BINARY = [("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%")]
COMPARES = {"==", "!=", "<", ">", "<=", ">="}
TRANSPARENT = {"likely", "unlikely"}                        # calls that are their argument


class Node:
    """kind, and the text [start, end) that it covers. Parts by name; `op` where there is one."""

    def __init__(self, kind, start, **parts):
        self.kind, self.start, self.end, self.op = kind, start, None, None
        self.parts = parts
        self.__dict__.update(parts)

    def children(self):
        for part in self.parts.values():
            for node in part if isinstance(part, list) else [part]:
                if isinstance(node, Node):
                    yield node

    def walk(self):
        yield self
        for child in self.children():
            yield from child.walk()


class Function:
    def __init__(self, name, start, end, body):
        self.name, self.start, self.end, self.body = name, start, end, body


class Parser:
    def __init__(self, text, name):
        self.text, self.name = text, name
        self.tokens = []                                    # (kind, text, start)
        at = 0
        while at < len(text):
            m = TOKEN.match(text, at)
            if not m:
                self.fail(at, "no token")
            if m.lastgroup != "space":
                self.tokens.append((m.lastgroup, m[0], at))
            at = m.end()
        self.tokens.append(("end", "", len(text)))
        self.i = 0

    def fail(self, at, why):
        raise SyntaxError(f"{self.name}:{self.text.count(chr(10), 0, at) + 1}: {why}: {self.text[at:at + 40]!r}")

    # --- tokens

    def peek(self, ahead=0):
        return self.tokens[min(self.i + ahead, len(self.tokens) - 1)][1]

    def kind(self, ahead=0):
        return self.tokens[min(self.i + ahead, len(self.tokens) - 1)][0]

    def here(self):
        return self.tokens[self.i][2]

    def behind(self):
        """Where the last token taken ends."""
        _, text, start = self.tokens[self.i - 1]
        return start + len(text)

    def take(self, *wanted):
        text = self.peek()
        if wanted and text not in wanted:
            self.fail(self.here(), f"expected {' or '.join(wanted)}")
        self.i += 1
        return text

    def done(self, node, **parts):
        node.end = self.behind()
        node.parts.update(parts)
        node.__dict__.update(parts)
        return node

    def skip_balanced(self):
        """Over a bracket and all in it."""
        depth = 0
        while True:
            text = self.take()
            depth += text in ("(", "{", "[")
            depth -= text in (")", "}", "]")
            if not depth:
                return

    # --- the file

    def functions(self):
        name = None
        while self.kind() != "end":
            if self.peek() == "(" and self.kind(-1) == "name":
                name = self.peek(-1)
                self.skip_balanced()
                if self.peek() == "{":
                    start = self.here()
                    body = self.compound()
                    yield Function(name, start, self.behind(), body)
            elif self.peek() in ("{", "(", "["):
                self.skip_balanced()
            else:
                self.i += 1

    # --- statements

    def compound(self):
        node = Node("compound", self.here())
        body = []
        self.take("{")
        while self.peek() != "}":
            body.append(self.statement())
        self.take("}")
        return self.done(node, body=body)

    def statement(self):
        start, word = self.here(), self.peek()
        if word == "{":
            return self.compound()
        if word == ";":
            self.take()
            return self.done(Node("empty", start))
        if word == "if":
            self.take()
            cond, then, other = self.parens(), self.statement(), None
            if self.peek() == "else":
                self.take()
                other = self.statement()
            return self.done(Node("if", start), cond=cond, then=then, other=other)
        if word == "while":
            self.take()
            return self.done(Node("while", start), cond=self.parens(), body=self.statement())
        if word == "do":
            self.take()
            body = self.statement()
            self.take("while")
            cond = self.parens()
            self.take(";")
            return self.done(Node("do", start), body=body, cond=cond)
        if word == "for":
            return self.for_loop(start)
        if word == "switch":
            self.take()
            return self.done(Node("switch", start), on=self.parens(), body=self.statement())
        if word in ("case", "default"):
            while self.take() != ":":
                pass
            return self.done(Node("label", start), body=self.statement())
        if word in ("goto", "break", "continue"):
            while self.take() != ";":
                pass
            return self.done(Node("jump", start))
        if word == "return":
            self.take()
            value = self.expression() if self.peek() != ";" else None
            self.take(";")
            return self.done(Node("return", start), value=value)
        if self.kind() == "name" and self.peek(1) == ":":
            self.take(), self.take()
            return self.done(Node("label", start), body=self.statement())
        if word in TYPES or word.startswith("DEFINE_"):
            return self.declaration(start)
        value = self.expression()
        if self.peek() != ";":                              # list_for_each_entry() and its like
            if value.kind != "call":
                self.fail(self.here(), "expected ;")
            return self.done(Node("each", start), head=value, body=self.statement())
        self.take(";")
        return self.done(Node("expression", start), value=value)

    def for_loop(self, start):
        self.take("for"), self.take("(")
        if self.peek() in TYPES:
            first = self.declaration(self.here())
        else:
            first = self.expression() if self.peek() != ";" else None
            self.take(";")
        cond = self.expression() if self.peek() != ";" else None
        self.take(";")
        step = self.expression() if self.peek() != ")" else None
        self.take(")")
        return self.done(Node("for", start), first=first, cond=cond, step=step, body=self.statement())

    def declaration(self, start):
        if self.peek().startswith("DEFINE_"):
            while self.take() != ";":
                pass
            return self.done(Node("declaration", start), values=[])
        values = []
        constant = False
        while self.peek() != ";":
            if self.peek() == "=":
                self.take()
                values.append(self.initialiser())
            elif self.peek() in ("(", "["):
                self.skip_balanced()
            else:
                constant |= self.take() == "static"
        self.take(";")
        return self.done(Node("declaration", start), values=[] if constant else values)

    def initialiser(self):
        if self.peek() != "{":
            return self.assignment()
        node = Node("braces", self.here())
        values = []
        self.take("{")
        while self.peek() != "}":
            while self.peek() in (".", "["):
                if self.take() == ".":
                    self.take()
                else:
                    self.conditional(), self.take("]")
            if self.peek() == "=":
                self.take()
            values.append(self.initialiser())
            if self.peek() == ",":
                self.take()
        self.take("}")
        return self.done(node, values=values)

    # --- expressions

    def parens(self):
        self.take("(")
        value = self.expression()
        self.take(")")
        return value

    def expression(self):
        start, value = self.here(), self.assignment()
        while self.peek() == ",":
            self.take()
            value = self.done(Node("comma", start), left=value, right=self.assignment())
        return value

    def assignment(self):
        start, left = self.here(), self.conditional()
        if self.peek() not in ASSIGN:
            return left
        node = Node("assign", start)
        node.op = self.take()
        return self.done(node, left=left, right=self.initialiser())

    def conditional(self):
        start, cond = self.here(), self.binary(0)
        if self.peek() != "?":
            return cond
        self.take()
        then = self.expression() if self.peek() != ":" else None
        self.take(":")
        return self.done(Node("choose", start), cond=cond, then=then, other=self.conditional())

    def binary(self, level):
        if level == len(BINARY):
            return self.unary()
        start, left = self.here(), self.binary(level + 1)
        while self.peek() in BINARY[level]:
            node = Node("binary", start)
            node.op = self.take()
            left = self.done(node, left=left, right=self.binary(level + 1))
        return left

    def unary(self):
        start = self.here()
        if self.peek() in ("!", "~", "-", "+", "*", "&", "++", "--"):
            node = Node("unary", start)
            node.op = self.take()
            return self.done(node, value=self.unary())
        if self.peek() == "sizeof":
            self.take()
            self.skip_balanced()
            return self.done(Node("name", start))
        if self.peek() == "(" and self.peek(1) in TYPES:
            self.skip_balanced()
            if self.peek() == "{":
                return self.done(Node("literal", start), value=self.initialiser())
            return self.done(Node("cast", start), value=self.unary())
        return self.postfix()

    def postfix(self):
        start = self.here()
        if self.peek() == "(":
            value = self.done(Node("parens", start), value=self.parens())
        elif self.kind() in ("name", "value"):
            self.take()
            while self.kind(-1) == "value" and self.kind() == "value":
                self.take()                                 # "one string" "in pieces"
            value = self.done(Node("name", start))
        else:
            self.fail(self.here(), "expected an expression")
        while True:
            if self.peek() == "(":
                value = self.done(Node("call", start), function=value, arguments=self.arguments())
            elif self.peek() == "[":
                self.take()
                index = self.expression()
                self.take("]")
                value = self.done(Node("index", start), value=value, index=index)
            elif self.peek() in (".", "->"):
                self.take(), self.take()
                value = self.done(Node("member", start), value=value)
            elif self.peek() in ("++", "--"):
                node = Node("step", start)
                node.op = self.take()
                value = self.done(node, value=value)
            else:
                return value

    def arguments(self):
        self.take("(")
        found = []
        while self.peek() != ")":
            if self.peek() in TYPES:                        # of container_of(), max_t()
                while self.peek() not in (",", ")"):
                    self.take()
            else:
                found.append(self.assignment())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return found


def functions(text, name):
    return list(Parser(text, name).functions())
