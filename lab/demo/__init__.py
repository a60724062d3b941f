"""The demo: a real Active Directory, a real agent and the whole of Isthmus on one machine."""
