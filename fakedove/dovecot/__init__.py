"""What Dovecot knows and answers: releases, store, commands, exact texts.

Pure: clock and random source are handed in, nothing here waits or touches a socket.
"""
