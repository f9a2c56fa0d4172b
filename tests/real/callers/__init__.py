"""Real Dovecots that call script services, with fakedove as the service."""
