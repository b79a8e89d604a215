"""Opens the page again and again in a browser that has nothing in its cache, and prints the medians."""

import argparse
import pathlib
import statistics

from browser import Browser, page_daemon

FILES = pathlib.Path(__file__).parents[2] / "Assets" / "page"

# Layout shift is summed over all that is seen until the picture of a text has settled.
OBSERVE = """
    window.shift = 0;
    new PerformanceObserver(list => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value; })
        .observe({type: 'layout-shift', buffered: true});
    window.long = 0;
    new PerformanceObserver(list => { for (const entry of list.getEntries()) long += entry.duration; })
        .observe({type: 'longtask', buffered: true});"""

MEASURE = """
    const files = performance.getEntriesByType('resource').filter(entry => !entry.name.includes('/inkling/v1/'));
    const calls = performance.getEntriesByType('resource').filter(entry => entry.name.includes('/inkling/v1/'));
    const page = performance.getEntriesByType('navigation')[0];
    const all = [page, ...files];
    return {
      requests: all.length, calls: calls.length,
      sent: all.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
      raw: all.reduce((sum, entry) => sum + entry.decodedBodySize, 0),
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      ready: Math.max(...all.map(entry => entry.responseEnd)),
      interactive: page.domInteractive, shift, long,
    };"""

FIGURES = (
    ("requests", "requests for files", "{:.0f}"), ("sent", "bytes of files as sent", "{:.0f}"),
    ("raw", "bytes of files as they are", "{:.0f}"), ("calls", "requests to the API until the first picture", "{:.0f}"),
    ("paint", "first contentful paint, ms", "{:.0f}"), ("interactive", "interactive, ms", "{:.0f}"),
    ("ready", "last file there, ms", "{:.0f}"), ("long", "long tasks, ms", "{:.0f}"),
    ("shift", "cumulative layout shift", "{:.4f}"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with page_daemon() as daemon, Browser(daemon) as browser:
        browser.command("Network.enable")
        browser.command("Network.setCacheDisabled", cacheDisabled=True)
        browser.command("Page.enable")
        browser.command("Page.addScriptToEvaluateOnNewDocument", source=OBSERVE)
        found = []
        for run in range(options.runs + 1):
            browser.open()
            text = "a house" + " in snow" * (run % 2)
            browser.fill("#prompt", text)
            browser.settle(text)
            found.append(browser.script(MEASURE))
    found = found[1:]
    stored = sum(path.stat().st_size for path in FILES.iterdir())
    print(f"{len(list(FILES.iterdir()))} files of {stored} bytes; medians of {options.runs} loads, nothing cached:\n")
    print("| figure | median | worst |\n|---|---|---|")
    for name, words, form in FIGURES:
        values = [one[name] for one in found]
        print(f"| {words} | {form.format(statistics.median(values))} | {form.format(max(values))} |")


if __name__ == "__main__":
    main()
