"""report_page.py SMCRUN ARTIFACTS: the HTML report in a headless Chromium, used as people use it.

Screenshots are kept in ARTIFACTS.  Skipped, with the reason, when there is no browser; in CI that is a failure.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import browser  # noqa: E402

SCENARIO = """
local smc = require "smc"

describe("a bot that fails over #failover", function()
  it("leaves a venue that fails, and comes back", function()
    local a, b = smc.venue("binance", { breaker = { size = 4, min_calls = 4, open = 10 } }), smc.venue "bybit"
    local group <close> = smc.failover { a, b, check_every = 5, failback = { after = 10 } }
    a:fault { link = "latency", latency = 0.4, after = 3, for_ = 6 }
    a:fault { venue = "status", status = 503, after = 12, for_ = 15 }
    b:fault { venue = "silent", on = "candles" }
    for _ = 1, 80 do
      group:ticker "BTC/USDT"
      pcall(a.ticker, a, "BTC/USDT")
      smc.sleep(1)
    end
    assert.equal(a, group.active)
  end)
end)

describe("a load #performance", function()
  it("has a slow tenth", function()
    local function orders(n)
      smc.sleep(n % 10 == 0 and 0.3 or 0.01 + n % 4 / 100)
      if n % 50 == 7 then return nil, "refused" end
    end
    local open = smc.load { name = "orders", rate = 50, duration = 10, run = orders }
    local closed = smc.load { name = "book", users = 3, think = 0.1, duration = 2, run = function() smc.sleep(0.05) end }
    assert.load(closed, { "p99 < 0.1", "rate > 10" })
    assert.load(open, { "p50 < 0.05", "p99 < 0.2", "errors < 0.05" })
  end)
end)

describe("an agent in a hurry #rate-limit", function()
  it("spends what a minute has", function()
    local venue = smc.venue("binance", { limiter = { request_weight = { limit = 60, per = 10 } } })
    for i = 1, 40 do
      assert(venue:book("BTC/USDT", 10))
      smc.sleep(0.2)
    end
  end)

  it("fails with </script><b>marks</b>", function()
    print "printed before"
    assert(smc.venue("oanda"):ticker "EUR/USD")
    assert.equal("wanted", "got <i>this</i>")
  end)
end)
"""

smcrun, artifacts = sys.argv[1], pathlib.Path(sys.argv[2])
program = browser.find()
if not program:
    in_ci = bool(os.environ.get("CI"))
    print("failed" if in_ci else "skipped", "no Chromium is installed (vendor/bootstrap install browser)", sep=": ")
    sys.exit(1 if in_ci else 77)
artifacts.mkdir(parents=True, exist_ok=True)


def the(what, wanted, got):
    assert wanted == got, f"{what}: {wanted!r} was wanted, not {got!r}"


def shown(page):
    return page.evaluate("[...document.querySelectorAll('.row:not([hidden])')].map((row) => row.spec.title)")


def count(page, selector):
    return page.evaluate(f"document.querySelectorAll({selector!r}).length")


def visit(page, path):
    page.requests.clear()
    page.open(path.as_uri())
    page.wait_for("document.documentElement.dataset.ready")


def overview(page):
    the("the verdict", "2 failed, 2 passed", page.evaluate("document.querySelector('#verdict').textContent"))
    the("specs", 4, len(shown(page)))
    assert count(page, "[data-plot=latency] .histogram") >= 1, "no latencies"
    assert count(page, "[data-plot=highest] .fill") >= 2, "no use of limits"
    the("failures", 2, count(page, ".card.s-fail"))
    # Six lines of a message, in whole: what was expected stands in the sixth of a comparison that has a sentence first.
    lines = page.evaluate("""(() => {
      const text = document.querySelector('.card.s-fail pre');
      text.textContent = 'line\\n'.repeat(9);
      return text.clientHeight / (text.scrollHeight / 9);
    })()""")
    assert 6 <= lines < 6.5, f"a card shows {lines} lines"
    the("elements out of texts", 0, count(page, "#detail b b, #detail i, .row b"))
    page.screenshot(artifacts / "overview.png")


def timeline(page):
    page.evaluate("document.querySelector('.row').click()")
    page.wait_for("document.querySelector('[data-plot=timeline]')")
    for selector, least in ((".fault", 3), (".band.m0", 2), (".band.m1", 1), (".switch", 2), (".band.open", 1),
                            (".band.half_open", 1), (".band.closed", 2), (".ok", 10), (".refused", 1)):
        got = count(page, "[data-plot=timeline] .plot " + selector)
        assert got >= least, f"{selector}: {got} in the timeline"
    # A fault lies where it was in force: from 12 s to 27 s of more than 80.
    share = page.evaluate("""(() => {
      const fault = [...document.querySelectorAll('.plot .fault')][1].getBBox();
      const axis = document.querySelector('.plot .band.m0').getBBox();
      return (fault.x - axis.x) / fault.width;
    })()""")
    assert abs(share - 12 / 15) < 0.03, f"the fault is not where it should be: {share}"
    the("histogram", True, count(page, "[data-plot=latency] .histogram") >= 1)
    page.screenshot(artifacts / "failover.png")
    # A click shows that moment of the transcript.
    page.evaluate("""(() => {
      const fault = [...document.querySelectorAll('.plot .fault')][1].getBoundingClientRect();
      document.querySelector('[data-plot=timeline] .plot svg').dispatchEvent(
        new MouseEvent('click', { bubbles: true, clientX: fault.left + 1, clientY: fault.top }));
    })()""")
    moment = page.evaluate("document.querySelector('.log .at').moment")
    assert 11900 <= moment <= 14000, f"the transcript shows {moment} ms"


def filtering(page):
    page.press("/", 191)
    page.type("over fails")
    the("rows for two words", ["leaves a venue that fails, and comes back"], shown(page))
    page.press("Escape", 27)
    the("rows without a filter", 4, len(shown(page)))
    page.press("/", 191)
    page.type("#RATE-limit spends")
    the("rows for a tag and a word", ["spends what a minute has"], shown(page))
    page.wait_for("document.querySelector('#detail').textContent.includes('60 of 60')")  # the overview is of that row, soon
    page.screenshot(artifacts / "filter.png")
    page.press("ArrowDown", 40)
    the("what the arrow opens", "spends what a minute has", page.evaluate("document.querySelector('h1').textContent"))
    the("where the focus is", "row", page.evaluate("document.activeElement.classList[0]"))
    use = page.evaluate("""(() => {
      const limit = document.querySelector('[data-plot=limits] .limit').getBBox().y;
      return Math.min(...[...document.querySelectorAll('[data-plot=limits] .peak')].map((c) => c.cy.baseVal.value)) - limit;
    })()""")
    assert abs(use) < 1, f"the highest use is not at the limit: {use}"
    page.screenshot(artifacts / "limits.png")
    page.evaluate("document.querySelector('#chips .s-fail').click()")
    the("rows that failed and fit", [], shown(page))
    page.press("/", 191)
    page.press("Escape", 27)
    the("rows that failed", ["has a slow tenth", "fails with </script><b>marks</b>"], shown(page))


def load(page):
    page.press("ArrowDown", 40)
    page.wait_for("document.querySelector('[data-plot=load]')")
    cells = page.evaluate("""[...document.querySelectorAll('.loads tbody tr')].map((row) =>
      [...row.children].map((cell) => cell.textContent).join('|'))""")
    assert cells[0].startswith("orders|open|500|0|10, 2\u202f%: error 10|") and cells[0].endswith("|300 ms|300 ms"), cells
    assert cells[1].startswith("book|closed|42|–|0|21/s|50 ms|"), cells
    the("what was broken", ["✗ p99 < 0.2 is 0.3"], page.evaluate(
        "[...document.querySelectorAll('.thresholds .broken')].map((each) => each.textContent)"))
    the("what held", 4, count(page, ".thresholds .held"))
    the("plots", 2, count(page, "[data-plot=load] .plot svg"))
    assert count(page, "[data-plot=load] .histogram") >= 5, "no spread of latencies"
    page.screenshot(artifacts / "load.png")


def failure(page):
    page.press("ArrowDown", 40)
    the("the name", "fails with </script><b>marks</b>", page.evaluate("document.querySelector('h1').textContent"))
    message = page.evaluate("document.querySelector('.message').textContent")
    assert "got <i>this</i>" in message, message
    assert "--seed 3" in page.evaluate("document.querySelector('.again code').textContent")
    assert "printed before" in page.evaluate("document.querySelector('#detail').textContent")
    assert count(page, ".log .out") >= 1, "no request in the transcript"
    page.screenshot(artifacts / "failure.png")


def looks(page):
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.look(dark=True)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light, "dark is as light"
    page.evaluate("location.hash = ''")
    page.evaluate("document.querySelector('#chips button').click()")
    page.evaluate("document.querySelector('.row').click()")
    page.wait_for("document.querySelector('[data-plot=timeline]')")
    page.screenshot(artifacts / "dark.png")
    page.look(width=480)
    the("a page that is wider than a telephone", 480, page.evaluate("document.documentElement.scrollWidth"))
    page.screenshot(artifacts / "narrow.png")
    page.look()


def silence(page, path):
    the("requests", [path.as_uri()], page.requests)
    the("complaints", [], page.complaints)
    refused = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', (error) => String(error))")
    assert refused != "sent" and any("Content Security Policy" in each for each in page.complaints), page.complaints


MANY = 5000


def write_many(name):
    """A report with that many specs: what the scenario has told, over and over, with 8 KB of each transcript."""
    with open("bot.jsonl", encoding="utf-8") as told:
        events = [json.loads(line) for line in told]
    for event in events:
        if "transcript" in event:
            event["transcript"] = event["transcript"][:8000]
    ids = [event["id"] for event in events if event["type"] == "declared"]
    with open(name, "w", encoding="utf-8") as out:
        def put(event, **fields):
            out.write(json.dumps(dict(event, **fields), separators=(",", ":"), ensure_ascii=False) + "\n")
        put(events[0])
        for number in range(MANY):
            path = f"bots/of_{number // 15:03}.lua"
            if number % 15 == 0:
                put({"v": 2, "type": "file_start", "file": path})
            for event in events:
                if event.get("id") == ids[number % len(ids)]:
                    put(event, id=event["id"].replace("bot.lua", path) + f" {number}")
            if number % 15 == 14 or number == MANY - 1:
                put({"v": 2, "type": "file_end", "file": path, "declared": 15, "selected": 15})
        put(events[-1])


def many(page):
    write_many("many.jsonl")
    status = subprocess.run([smcrun, "merge", "many.jsonl", "--report", "html:many.html"], stdout=subprocess.DEVNULL)
    the("the exit status of merge", 1, status.returncode)
    before = page.cpu_seconds()
    visit(page, pathlib.Path("many.html").resolve())
    spent = page.cpu_seconds() - before
    print(f"{MANY} specs, {os.path.getsize('many.html') / 1e6:.1f} MB: {spent:.2f} s of CPU until they are shown")
    the("specs that were read", str(MANY), page.evaluate("document.documentElement.dataset.ready"))
    assert spent < 2, f"{spent:.2f} s of CPU"
    page.screenshot(artifacts / "many.png")
    page.press("/", 191)
    before = page.cpu_seconds()
    page.type("4996 leaves")
    the("rows for a number", ["leaves a venue that fails, and comes back 4996"], shown(page))
    spent = page.cpu_seconds() - before
    assert spent < 2, f"{spent:.2f} s of CPU for eleven letters"
    page.press("Enter", 13)
    page.wait_for("document.querySelector('[data-plot=timeline] .fault')")
    page.screenshot(artifacts / "many_filtered.png")


def none(page):
    subprocess.run([smcrun, "bot.lua", "-k", "nothing_like_it", "-q", "--report", "html:none.html"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    visit(page, pathlib.Path("none.html").resolve())
    the("a run of nothing", "No spec was run.", page.evaluate("document.querySelector('.nothing').innerText"))


def main():
    page = browser.Browser(program)
    try:
        page.look()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            pathlib.Path("bot.lua").write_text(SCENARIO)
            subprocess.run([smcrun, "--seed", "3", "--timeout", "200", "bot.lua", "--report", "html:report.html",
                            "--report", "json:bot.jsonl"], stdout=subprocess.DEVNULL)
            path = pathlib.Path("report.html").resolve()
            visit(page, path)
            for part in (overview, timeline, filtering, load, failure, looks):
                part(page)
            many(page)
            none(page)
            visit(page, path)
            silence(page, path)
    finally:
        page.close()


main()
