"""What a model gets to see is measured as chat makes it, and links are followed on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import chat
from benchmarks.retrieval.annotated import Corpus, Question, Target

LONG = "".join(f"def prepare_{n}(order):\n    return order + {n}\n\n\n" for n in range(80))
FILES = {
    "shop/mail.py": 'def send_receipt(order):\n    """Mail the receipt of an order."""\n    return order\n',
    "shop/order.py": LONG,
    "shop/receipt.py": f"RECEIPT = 1\n\n\n{LONG}",
}


async def test_what_answers_is_seen_by_each_system(tmp_path: Path) -> None:
    """The file that answers is in our block within its tokens, and all links of it resolve."""
    pytest.importorskip("bm25s")  # The peer is an extra.
    root = tmp_path / "code"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    targets = (Target(path="shop/mail.py"), Target(path="shop/gone.py"))
    question = Question(text="how is the receipt of an order mailed", kind="behavior", targets=targets)
    corpus = Corpus(name="shop", split="tune", root=root, questions=(question,), left_out=())
    seen, links = await chat.measured(corpus, tmp_path / "cache", None)
    ours = [it for it in seen if it.system == chat.OURS]
    assert len(ours) == len(chat.BUDGETS) * len(chat.COUNTS) == len(seen) / 3
    assert all((it.all, it.one, it.code) == (0.5, 1.0, 0.5) and it.tokens <= it.budget for it in ours)
    assert 0 < links.made == links.resolved
    assert links.left == 0
