"""Makes the fixtures of ImageCodecsTests.

    python3 make-fixtures.py        (Pillow 13.0.0 with libwebp 1.6.0, NumPy)

kinds.json    PNG files of every colour type, depth and interlacing, written here chunk by chunk after the PNG
              specification, and the 8-bit RGB or RGBA samples that they stand for.
pillow.json   What Pillow makes of small pictures: files and their samples, resized and grey pictures.
"""

import base64
import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image

folder = pathlib.Path(__file__).parent


def text(values):
    return base64.b64encode(bytes(values)).decode()


def chunk(name, contents):
    return struct.pack(">I", len(contents)) + name + contents + struct.pack(">I", zlib.crc32(name + contents))


# PNG, by the book

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def paeth(a, b, c):
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


def filtered(lines, step):
    """The lines, each behind another of the five filters."""
    result, above = b"", b"\0" * len(lines[0]) if lines else b""
    for y, line in enumerate(lines):
        kind = y % 5
        result += bytes([kind])
        for x, value in enumerate(line):
            left = line[x - step] if x >= step else 0
            up, corner = above[x], above[x - step] if x >= step else 0
            guess = (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]
            result += bytes([(value - guess) & 255])
        above = line
    return result


def packed(row, depth):
    """The samples of one line as bytes."""
    if depth == 16:
        return b"".join(struct.pack(">H", value) for value in row)
    if depth == 8:
        return bytes(row)
    bits = "".join(format(value, f"0{depth}b") for value in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def png(pixels, color, depth, interlaced, palette=None, transparency=None):
    """pixels: [height, width, channels] whole numbers."""
    height, width, channels = pixels.shape
    step = max(1, channels * depth // 8)
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    data = b""
    for x, y, dx, dy in passes:
        part = pixels[y::dy, x::dx]
        if part.size:
            data += filtered([packed(row.reshape(-1).tolist(), depth) for row in part], step)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    if palette is not None:
        file += chunk(b"PLTE", bytes(palette.reshape(-1).tolist()))
    if transparency is not None:
        file += chunk(b"tRNS", transparency)
    data = zlib.compress(data)
    return file + chunk(b"IDAT", data[:20]) + chunk(b"IDAT", data[20:]) + chunk(b"IEND", b"")


def meaning(pixels, color, depth, palette=None, transparency=None):
    """The 8-bit samples that the file stands for."""
    if color == 3:
        result = palette[pixels[..., 0]]
        if transparency is not None:
            alphas = np.full(256, 255)
            alphas[: len(transparency)] = list(transparency)
            result = np.concatenate([result, alphas[pixels]], -1)
        return result
    result = np.floor(pixels * 255 / (2**depth - 1) + 0.5).astype(int)
    if color in (0, 4):
        result = np.concatenate([result[..., :1]] * 3 + [result[..., 1:]], -1)
    if transparency is not None:
        key = struct.unpack(f">{len(transparency) // 2}H", transparency)
        clear = (pixels == np.array(key)).all(-1, keepdims=True)
        result = np.concatenate([result, np.where(clear, 0, 255)], -1)
    return result


def kinds():
    random = np.random.default_rng(7)
    for color, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (0, 1):
                for is_transparent in (False, True) if color in (0, 2, 3) else (False,):
                    for width, height in ((1, 1), (13, 11)):
                        shape = (height, width, CHANNELS[color])
                        count = 2**depth
                        pixels = random.integers(0, count, shape)
                        palette = random.integers(0, 256, (count, 3)) if color == 3 else None
                        transparency = None
                        if is_transparent and color == 3:
                            transparency = bytes(random.integers(0, 256, max(1, count // 2)).tolist())
                        elif is_transparent:
                            transparency = b"".join(struct.pack(">H", value) for value in pixels[0, 0])
                        samples = meaning(pixels, color, depth, palette, transparency)
                        yield {
                            "name": f"colour {color}, depth {depth}"
                            + (", interlaced" if interlaced else "")
                            + (", transparent" if is_transparent else "")
                            + f", {width}x{height}",
                            "file": text(png(pixels, color, depth, interlaced, palette, transparency)),
                            "width": width,
                            "height": height,
                            "channels": samples.shape[-1],
                            "samples": text(samples.reshape(-1).tolist()),
                        }


# Pillow


def picture(width, height, channels):
    y, x = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(width)
    waves = [128 + 90 * np.sin(x / (3 + c) + y / (5 - c) + c) for c in range(channels)]
    samples = np.stack(waves, -1) + random.normal(0, 12, (height, width, channels))
    return Image.fromarray(np.clip(samples, 0, 255).astype(np.uint8))


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def described(image):
    return {
        "width": image.width,
        "height": image.height,
        "channels": len(image.getbands()),
        "samples": text(image.tobytes()),
    }


def decoded(name, file):
    return {"name": name, "file": text(file)} | described(Image.open(io.BytesIO(file)))


def pillow():
    rgb, rgba = picture(23, 17, 3), picture(19, 21, 4)
    resized = []
    for image in (rgb, rgba):
        for width, height in ((11, 9), (46, 34), (23, 5), (7, 40), (1, 1), (128, 3)):
            for name, kind in (("lanczos", Image.Resampling.LANCZOS), ("box", Image.Resampling.BOX)):
                resized.append({"filter": name, "from": described(image), "to": described(image.resize((width, height), kind))})
    frames = [picture(8, 8, 3), picture(9, 8, 3).crop((0, 0, 8, 8))]
    return {
        "files": [
            decoded("png, rgb", saved(rgb, "PNG")),
            decoded("png, rgba", saved(rgba, "PNG")),
            decoded("webp, lossless rgb", saved(rgb, "WEBP", lossless=True)),
            decoded("webp, lossless rgba", saved(rgba, "WEBP", lossless=True, exact=True)),
            decoded("webp, lossy rgb", saved(rgb, "WEBP", quality=80)),
            decoded("webp, lossy rgba", saved(rgba, "WEBP", quality=80)),
            decoded("webp with a profile", saved(rgb, "WEBP", quality=80, icc_profile=bytes(100), xmp=b"<x/>")),
        ],
        "animated": [
            {"name": form, "file": text(saved(frames[0], form, save_all=True, append_images=frames[1:]))}
            for form in ("PNG", "WEBP")
        ],
        "resized": resized,
        "grey": [
            {"from": described(image), "samples": text(image.convert("L").tobytes())} for image in (rgb, rgba)
        ],
        "opaque": [{"from": described(rgba), "to": described(rgba.convert("RGB"))}],
    }


(folder / "kinds.json").write_text(json.dumps(list(kinds()), indent=0) + "\n")
(folder / "pillow.json").write_text(json.dumps(pillow(), indent=0) + "\n")
