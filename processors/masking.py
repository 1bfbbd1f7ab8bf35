"""Masked contacts, for the staff's and the public's pages."""

from processors.domain.registration import Contact


def mask_contact(contact: Contact) -> str:
    """Return just enough of an address for its owner to recognize it."""
    if contact.channel == "email":
        user, _, domain = contact.address.partition("@")
        return f"{user[:1]}…@{domain[:1]}…"
    return f"… {contact.address[-2:]}"
