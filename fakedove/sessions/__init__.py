"""One session for each service: wire, dovecot and double joined. Only sessions make plans."""
