#!/usr/bin/env python3
"""html_check.py PAGE SECTION...: the page is well-formed XML with these sections and no others, has no scripts and asks for nothing
from elsewhere, every drawing has a name, and its colours have the contrasts of WCAG 2.1 AA in both schemes."""
import re
import sys
import xml.etree.ElementTree as ElementTree

VOID = {"meta", "link"}
TEXT, MARK = 4.5, 3.0


def check_content(root, sections):
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids)), f"ids that stand twice: {ids}"
    found = [section.get("id") for section in root.iter("section")]
    assert found == sections, f"sections {found} instead of {sections}"
    for element in root.iter():
        assert element.tag not in ("script", "iframe", "object", "embed", "img", "use", "image", "foreignObject", "form", "base"), element.tag
        assert element.tag in VOID or element.tag in ("path", "circle", "rect") or len(element) or element.text is not None or (
            element.tag in ("td", "ul", "dl", "div", "tbody")), f"an empty {element.tag} is no HTML without its end"
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name != "style", f"{name} of {element.tag}"
            assert not re.search(r"//|javascript:", value) or name in ("aria-label",), f"{name}={value}"
            assert name not in ("src", "srcset", "action"), name
            assert name != "href" or value == "data:," or value[1:] in ids, f"a link to {value}"
            assert name not in ("aria-labelledby",) or value in ids, f"no label {value}"
    for style in root.iter("style"):
        assert not re.search(r"@import|url\(|//", style.text), "the style asks for something"
    for svg in root.iter("svg"):
        assert svg.get("aria-hidden") == "true" or svg[0].tag == "title" and svg[0].text and svg[1].tag == "desc", "a drawing without a name"


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def check_colours(style):
    schemes = [dict(re.findall(r"--(\w+):(#[0-9a-f]{6});", block)) for block in re.findall(r":root\{([^}]*)\}", style)]
    assert len(schemes) == 3 and schemes[0] == schemes[2] != schemes[1], "light, dark, and paper as light"
    tones = [f"h{i}" for i in range(9)]
    pairs = [("text", on, TEXT) for on in ["page", "card"] + tones] + [(of, on, TEXT) for of in ("muted", "link") for on in ("page", "card")]
    pairs += [(of, "card", MARK) for of in [f"s{i}" for i in range(6)] + ["axis"]]
    for scheme in schemes:
        assert contrast("#ffffff", "#000000") == 21
        for of, on, least in pairs:
            ratio = contrast(scheme[of], scheme[on])
            assert ratio >= least, f"{of} on {on}: {ratio:.2f} instead of {least}"
    used = set(re.findall(r"var\(--(\w+)\)", style))
    assert used <= set(schemes[0]) == set(schemes[1]), f"colours that no scheme has: {used - set(schemes[0])}"


def main():
    root = ElementTree.parse(sys.argv[1]).getroot()
    check_content(root, sys.argv[2:])
    check_colours(next(root.iter("style")).text)


main()
