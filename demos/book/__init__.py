"""The lecture as a book and as notebooks: `python -m demos --book`, `python -m demos --notebooks`.

`run.py` runs a demo and keeps what it printed and wrote.  `texts.py` reads what is told about it: a
Markdown file a part in texts/, which says where its tables, figures and functions belong.  `pages.py` makes
an offline site of both, in the look of look/; `notebooks.py` makes notebooks.
"""
