"""Supervision for Pykka actors and OS processes, with OTP's rules; knows nothing of sagas."""
