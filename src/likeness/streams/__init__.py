"""How are bytes of cameras and streams fetched over a network?"""
