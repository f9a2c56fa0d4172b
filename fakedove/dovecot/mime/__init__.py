"""What Dovecot makes of a mail's bytes: MIME parts, IMAP structures, decoded texts.

Broken mails matter as much as good ones, and Dovecot reads them in its own way, so nothing here
leans on the standard library's `email`. Everything is computed from the stored bytes, whose
line ends are LF. Releases differ in few places; those take a flag that the release row has.
"""
