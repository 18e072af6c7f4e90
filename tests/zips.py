"""ZIP files with a directory that lies."""

import struct


def far_away(content: bytes) -> bytes:
    """The archive with its first member said to begin as far on as 64 bits can say."""
    first = content.index(b"PK\x01\x02")
    name, extra = struct.unpack_from("<HH", content, first + 28)
    zip64 = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    entry = bytearray(content[first : first + 46 + name]) + zip64
    struct.pack_into("<H", entry, 30, len(zip64))
    struct.pack_into("<I", entry, 42, 0xFFFFFFFF)
    made = bytearray(content[:first] + bytes(entry) + content[first + 46 + name + extra :])
    end = made.rindex(b"PK\x05\x06")
    (size,) = struct.unpack_from("<I", made, end + 12)
    struct.pack_into("<I", made, end + 12, size + len(zip64) - extra)
    return bytes(made)
