"""Small documents for tests: a PDF written by hand, a DOCX by the library for word processors' files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import docx


def write_pdf(path: Path, pages: Sequence[Sequence[str]]) -> Path:
    """Pages of lines of plain letters."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for lines in pages:
        body = "BT /F1 12 Tf 72 720 Td 14 TL " + " T* ".join(f"({it}) Tj" for it in lines) + " ET"
        objects.append(f"<< /Length {len(body)} >>\nstream\n{body}\nendstream")
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {len(objects)} 0 R "
            f"/Resources << /Font << /F1 {font} >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    data, places = b"%PDF-1.4\n", []
    for number, it in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{it}\nendobj\n".encode("latin-1")
    table = "".join(f"{it:010d} 00000 n \n" for it in places)
    data += (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    ).encode("latin-1")
    path.write_bytes(data)
    return path


def write_docx(path: Path) -> Path:
    """A title, two headings with a paragraph each, and a table."""
    paper = docx.Document()
    paper.add_heading("Deployment", 0)
    paper.add_heading("Before", 1)
    paper.add_paragraph("Ask the database to make a backup.")
    paper.add_heading("After", 1)
    paper.add_paragraph("Watch the error budget for an hour.")
    table = paper.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text = "budget"
    table.rows[0].cells[1].text = "0.1 %"
    paper.save(str(path))
    return path
