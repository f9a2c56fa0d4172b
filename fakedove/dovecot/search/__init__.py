"""The search language: a query's words in, mailboxes and matching messages out.

words ─▶ tree (words, keys, mimepart_words) ─▶ simpler tree (simplify)
─▶ mailboxes (places) ─▶ messages (windows, matching, texts, threads, mimeparts)
"""

from fakedove.dovecot.search.query import Query, parse_query

__all__ = ["Query", "parse_query"]
