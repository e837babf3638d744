"""Pictures: their size, and squares made of them."""

from io import BytesIO

import pytest
from PIL import Image, ImageFile

from core import images
from core.errors import TooLarge, UnsupportedMediaType
from tests.files import HERE, huge_png, huge_webp, image, phone_photo

BROKEN = {
    "nothing": b"",
    "a head alone": image()[:20],
    "another format": b"BM\x9a\x00\x00\x00\x00\x00\x00\x00",
    "text": b"Hi",
    "svg": b"<svg/>",
    "zeros after the magic number": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
}


def opened(content):
    return Image.open(BytesIO(content))


def is_red(pixel):
    return pixel[0] > 200 and pixel[2] < 60


def is_blue(pixel):
    return pixel[2] > 200 and pixel[0] < 60


class TestSize:
    @pytest.mark.parametrize("format_", images.FORMATS)
    def test_of_each_format(self, format_):
        assert images.size_of(BytesIO(image(format_))) == (40, 30)

    @pytest.mark.parametrize(
        ("orientation", "size"), [(1, (40, 30)), (3, (40, 30)), (6, (30, 40)), (8, (30, 40))]
    )
    def test_it_is_as_the_picture_shows(self, orientation, size):
        assert images.size_of(BytesIO(phone_photo(orientation=orientation))) == size

    @pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
    def test_of_what_is_no_picture_there_is_none(self, content):
        with pytest.raises(UnsupportedMediaType):
            images.size_of(BytesIO(content))

    @pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
    @pytest.mark.parametrize(
        ("make", "side"), [(huge_png, 8_000), (huge_png, 20_000), (huge_webp, 12_000), (huge_webp, 16_383)]
    )
    def test_too_many_pixels_are_refused_undecoded(self, make, side):
        with pytest.raises(TooLarge):
            images.size_of(BytesIO(make(side, side)))

    def test_how_many_are_too_many_is_a_setting(self, settings):
        settings.MAX_IMAGE_PIXELS = 1200
        assert images.size_of(BytesIO(image())) == (40, 30)
        with pytest.raises(TooLarge):
            images.size_of(BytesIO(image(size=(40, 31))))

    def test_no_pixel_is_decoded(self, monkeypatch):
        pictures = {format_: image(format_) for format_ in images.FORMATS}
        monkeypatch.setattr(ImageFile.ImageFile, "load", lambda *_: pytest.fail("It was decoded."))
        for format_ in images.FORMATS:
            assert images.size_of(BytesIO(pictures[format_])) == (40, 30)

    def test_the_file_is_left_at_its_beginning(self):
        file = BytesIO(image())
        images.size_of(file)
        assert file.tell() == 0


class TestSquare:
    def test_it_is_the_middle_scaled_down(self):
        made = opened(images.square(BytesIO(image("PNG", (900, 300))), 100))
        assert (made.format, made.size) == ("WEBP", (100, 100))
        left, right = made.convert("RGB").getpixel((10, 50)), made.convert("RGB").getpixel((90, 50))
        assert is_red(left)
        assert is_blue(right)

    def test_a_small_one_is_not_blown_up(self):
        assert opened(images.square(BytesIO(image(size=(40, 30))), 512)).size == (30, 30)

    def test_it_stands_upright(self):
        made = opened(images.square(BytesIO(phone_photo((300, 300), orientation=6)), 100)).convert("RGB")
        top, bottom = made.getpixel((50, 10)), made.getpixel((50, 90))
        assert is_red(top)
        assert is_blue(bottom)

    def test_where_it_was_taken_is_gone(self):
        photo = phone_photo()
        assert HERE in photo
        made = images.square(BytesIO(photo), 512)
        assert HERE not in made
        assert set(opened(made).info) <= {"loop", "background", "timestamp", "duration"}
        assert not opened(made).getexif()

    def test_nothing_behind_the_picture_comes_along(self):
        assert b"<script>" not in images.square(BytesIO(image() + b"<script>alert(1)</script>"), 512)

    def test_what_shines_through_stays_so(self):
        clear = BytesIO()
        Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(clear, "PNG")
        assert opened(images.square(clear, 512)).getpixel((5, 5))[3] == 0

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA"])
    def test_every_mode_of_png_can_be_read(self, mode):
        file = BytesIO()
        Image.new(mode, (40, 40)).save(file, "PNG")
        assert opened(images.square(file, 20)).size == (20, 20)

    def test_cmyk_can_be_read(self):
        file = BytesIO()
        Image.new("CMYK", (40, 40)).save(file, "JPEG")
        assert opened(images.square(file, 20)).mode == "RGB"

    def test_of_a_moving_one_it_is_the_first_frame(self):
        frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue")]
        file = BytesIO()
        frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
        made = opened(images.square(file, 40))
        assert getattr(made, "n_frames", 1) == 1
        assert made.convert("RGB").getpixel((20, 20))[0] > 200

    @pytest.mark.parametrize(
        "content", [*BROKEN.values(), image(size=(400, 300))[:2000]], ids=[*BROKEN, "cut"]
    )
    def test_of_what_is_broken_none_is_made(self, content):
        with pytest.raises(UnsupportedMediaType):
            images.square(BytesIO(content), 512)

    def test_too_many_pixels_are_refused_undecoded(self):
        with pytest.raises(TooLarge):
            images.square(BytesIO(huge_png(20_000, 20_000)), 512)
