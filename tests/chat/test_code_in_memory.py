"""The workspace in memory answers as the index would."""

from __future__ import annotations

from chat.code import Code
from tests.chat.code_in_memory import InMemory

TEXTS = {
    "shop/cart.py": (
        '"""The cart."""\n\nfrom shop.price import total\n\n\nclass Cart:\n    """What is bought."""\n\n'
        "    def checkout(self) -> int:\n        return total(self.items)\n"
    ),
    "shop/price.py": (
        '"""Prices."""\n\n\ndef total(items):\n    """The sum of all prices."""\n    return sum(items)\n'
    ),
    "web/app.ts": "export function listen(port: number) {\n  return port;\n}\n",
    ".env": "KEY=1\n",
}


async def test_it_answers_what_chat_asks() -> None:
    """Search, symbols, calls and files come from what the parser finds in the texts."""
    code: Code = InMemory(TEXTS)
    assert (await code.search("sum of all prices"))[0].path == "shop/price.py"
    assert [it.path for it in await code.search("total", paths=("web",))] == []
    assert [it.path for it in await code.search("listen", paths=("web",))] == ["web/app.ts"]
    assert [(it.path, it.row.name) for it in await code.symbols("Cart.check")] == [
        ("shop/cart.py", "checkout")
    ]
    assert [(it.path, it.line, it.name) for it in await code.callers("total")] == [
        ("shop/cart.py", 10, "checkout")
    ]
    called = await code.callees("checkout", path="shop/cart.py", line=9)
    assert [(it.name, it.target and it.target.path) for it in called] == [("total", "shop/price.py")]
    assert [it.first_line for it in await code.definitions(("total",), path="shop/cart.py")] == [4]
    found = await code.occurrences("total", path="shop/price.py", line=4)
    assert [(it.path, it.line, it.column, it.is_definition) for it in found if it.is_definition] == [
        ("shop/price.py", 4, 4, True)
    ]
    (line,) = (await code.lines(r"return total")).lines
    assert (line.path, line.line, line.around) == ("shop/cart.py", 10, "Cart.checkout")
    assert await code.files("shop/*.py") == ("shop/cart.py", "shop/price.py")
    assert await code.faults("def f(:\n", "python")


async def test_a_secret_is_not_there() -> None:
    """What must not be read is in no answer."""
    code = InMemory(TEXTS)
    assert await code.text(".env") is None
    assert ".env" not in await code.files()
    assert await code.text("web/app.ts") == TEXTS["web/app.ts"]
    code.texts["web/app.ts"] = "export const changed = 1;\n"
    assert [it.name for it in await code.outline("web/app.ts")] == ["changed"]
