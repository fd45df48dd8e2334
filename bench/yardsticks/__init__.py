"""What muxsaga is measured beside: `python -m bench yardsticks --help`.

Each yardstick makes the same promotes, driven by the same driver and closed loop as muxsaga: by
other means, or without something that muxsaga has. Its module says what it does, and what not.
"""
