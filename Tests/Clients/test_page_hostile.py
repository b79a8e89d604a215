"""What the page must not do: make markup of a model's words, or answer to other pages."""

import http.server
import json
import threading
import unittest
import urllib.error
import urllib.request

from browser import Browser, page_daemon

PAYLOADS = (
    "<script>window.pwned = 1</script>", "<img src=x onerror=\"window.pwned = 1\">", "<svg onload=window.pwned=1>",
    "<iframe srcdoc='<script>parent.pwned = 1</script>'></iframe>", "<a href=\"javascript:window.pwned=1\">x</a>",
    "javascript:window.pwned=1", "JaVaScRiPt:window.pwned=1", "java\tscript:window.pwned=1", "data:text/html,<script>1</script>",
    "vbscript:msgbox(1)", "&lt;script&gt;window.pwned=1&lt;/script&gt;", "<style>*{display:none}</style>",
    "<base href='https://evil.example/'>", "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<form action=https://evil.example><button>x</button></form>", "\"><script>window.pwned=1</script>",
    "'-window.pwned=1-'", "{{constructor.constructor('window.pwned=1')()}}", "${window.pwned=1}", "</textarea><script>window.pwned=1</script>",
    "<math><mtext></p><img src onerror=window.pwned=1></math>", "<noscript><p title=\"</noscript><img src=x onerror=window.pwned=1>\">",
    "\u202egnp.exe\u202c \u0000\ufffd\u200b", "𝒳\ud83d\ude00e\u0301" + "\u0300" * 40, "[[[[((((****____~~~~````>>>>||||", "<" * 300 + "[" * 300 + "*" * 300,
)
PLACES = (
    "{}", "# {}", "- {}", "1. {}", "> {}", "**{}**", "_{}_", "~~{}~~", "`{}`", "``` {}\n{}\n```", "~~~\n{}", "[{}](https://example.org)",
    "[x]({})", "![{}]({})", "![x]({} \"{}\")", "<{}>", "| a | {} |\n|---|---|\n| {} | b |", "***{}***", "\\{}", "[x]: {}",
    "- a\n  - {}\n    > {}", "> - {}\n> ```\n> {}", "https://example.org/{}", "{}\n===", "a  \n{}\\\nb", "<!-- {} -->",
)
# What a message may consist of, and the attributes that it may have.
TAGS = {
    "A", "BLOCKQUOTE", "BR", "BUTTON", "CODE", "DEL", "DIV", "EM", "H3", "H4", "H5", "HR", "LI", "OL", "P", "PRE",
    "STRONG", "TABLE", "TBODY", "TD", "TH", "THEAD", "TR", "UL"}
ATTRIBUTES = {"href", "target", "rel", "class", "type", "tabindex", "role", "aria-label", "start"}


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(page_daemon())
        cls.browser = cls.enterClassContext(Browser(cls.daemon))

    def setUp(self):
        self.browser.begin()

    def test_676_hostile_texts_of_a_model_stay_text(self):
        texts = [place.replace("{}", payload) for place in PLACES for payload in PAYLOADS]
        self.assertEqual(len(texts), 676)
        made = self.daemon.request("POST", "/inkling/v1/conversations", {"title": PAYLOADS[0]})[1]
        messages = [dict(
            id=f"m{number}", conversation=made["id"], role="assistant", content=text, created_at=made["created_at"],
            finish="stop", sibling_count=1, sibling_index=0) for number, text in enumerate(texts)]
        transcript = json.dumps(dict(conversation=made, messages=messages))
        # The page gets them as it would from a daemon whose model said all of this.
        self.browser.script("""
            const [id, transcript] = arguments;
            const real = window.fetch;
            window.fetch = (path, options) => String(path).endsWith(`/conversations/${id}`) && options.method === 'GET'
                ? Promise.resolve(new Response(transcript, {headers: {'Content-Type': 'application/json'}})) : real(path, options);
            window.foreign = [];
            document.addEventListener('securitypolicyviolation', event => foreign.push(event.blockedURI));
            """, made["id"], transcript)
        self.browser.leave_field()
        self.browser.press("/")
        self.browser.until(lambda: self.browser.all("#conversations .open"))
        self.browser.click("#conversations .open")
        self.browser.until(lambda: len(self.browser.all(".message")) == 676)
        found = self.browser.script("""
            const [tags, attributes] = arguments;
            const wrong = [];
            for (const body of document.querySelectorAll('.message .body')) {
              for (const element of body.querySelectorAll('*')) {
                if (!tags.includes(element.tagName)) wrong.push(element.outerHTML);
                for (const {name, value} of element.attributes) {
                  if (!attributes.includes(name)) wrong.push(`${name}=${value}`);
                  if (name === 'href' && !/^(https?:|mailto:)/.test(value)) wrong.push(value);
                }
              }
            }
            return wrong;""", sorted(TAGS), sorted(ATTRIBUTES))
        self.assertEqual(found, [])
        self.assertIsNone(self.browser.script("return window.pwned ?? null"))
        # Nothing even tried to run or to load: the policy had nothing to stop.
        self.assertEqual(self.browser.script("return foreign"), [])
        self.assertEqual(self.browser.one("#chat-title").text, PAYLOADS[0])
        self.assertIn("<script>", self.browser.one("[data-id=m0] .body").text)

    def test_what_a_person_writes_stays_text_everywhere(self):
        for payload in PAYLOADS[:6]:
            with self.subTest(payload=payload):
                self.browser.fill("#prompt", payload)
                self.browser.settle(payload)
                self.browser.leave_field()
                self.browser.press("k")
                self.browser.until(lambda: self.browser.all(".message.asked"))
                self.browser.until(lambda: self.browser.all(".message.asked .body")[-1].text == payload)
        self.browser.fill("#search", "script")
        self.browser.until(lambda: self.browser.all("#conversations mark"))
        self.assertIsNone(self.browser.script("return window.pwned ?? null"))
        self.assertEqual(self.browser.complaints(), [])

    def test_a_long_line_of_marks_takes_no_long_time(self):
        milliseconds = self.browser.awaiting("""
            const { render } = await import('/page/markdown.js');
            const begin = performance.now();
            for (const mark of ['*', '_', '[', '`', '~', '<', '> ', '- ', '|', '![', '](', '**a ', '    ', '#', '`` ', '[a](', 'a_b ']) render(mark.repeat(200000));
            return performance.now() - begin;""")
        self.assertLess(milliseconds, 5000)

    def test_markdown_is_shown_as_it_is_meant(self):
        html = self.browser.awaiting("""
            const { render } = await import('/page/markdown.js');
            const box = document.createElement('div');
            const put = text => { box.replaceChildren(render(text)); return box.innerHTML; };
            return [
              put('# A *b*\\n\\nc **d** `e<f` ~~g~~  \\nh'), put('- a\\n- b\\n  1. c\\n  2. d\\n\\ne'), put('> a\\n> b'),
              put('[a](https://b.org/c_d) https://e.org.'), put('snake_case_name and 2 * 3 * 4'), put('---'),
              put('| a | b |\\n|---|---|\\n| c | d |'), put('[a](javascript:alert)'), put('3. x'),
            ];""")
        anchor = '<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>'
        self.assertEqual(html, [
            "<h3>A <em>b</em></h3><p>c <strong>d</strong> <code>e&lt;f</code> <del>g</del><br>h</p>",
            "<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul><p>e</p>",
            "<blockquote><p>a\nb</p></blockquote>",
            f'<p>{anchor.format("https://b.org/c_d", "a")} {anchor.format("https://e.org/", "https://e.org")}.</p>',
            "<p>snake_case_name and 2 * 3 * 4</p>", "<hr>",
            '<div class="table" tabindex="0" role="region" aria-label="Table"><table><thead><tr><th>a</th><th>b</th></tr>'
            "</thead><tbody><tr><td>c</td><td>d</td></tr></tbody></table></div>",
            "<p>[a](javascript:alert)</p>", '<ol start="3"><li>x</li></ol>',
        ])


class Neighbour(http.server.BaseHTTPRequestHandler):
    """Another server of this machine, with a page that wants what is not its own."""

    cookies = []

    def do_GET(self):
        self.cookies.append(self.headers.get("Cookie", ""))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Neighbour</title>")

    def log_message(self, *_):
        pass


class OtherOrigin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(page_daemon())
        cls.browser = cls.enterClassContext(Browser(cls.daemon))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Neighbour)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        cls.neighbour = f"http://127.0.0.1:{server.server_port}/"
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)

    def test_a_page_of_another_server_can_neither_read_nor_write(self):
        self.browser.open()
        own = self.browser.script("return location.origin")
        self.daemon.request("POST", "/inkling/v1/conversations", {"title": "Mine alone"})
        before = self.daemon.request("GET", "/inkling/v1/conversations")
        # The same browser, which has the cookie.
        self.browser.driver.get(self.neighbour)
        got = self.browser.awaiting("""
            const [own] = arguments;
            const results = {};
            const attempt = async (name, work) => { try { results[name] = await work(); } catch (error) { results[name] = error.name; } };
            const send = (path, options) => async () => { const r = await fetch(own + path, {credentials: 'include', ...options}); return r.type === 'opaque' ? 'opaque' : r.text(); };
            await attempt('read', send('/inkling/v1/conversations', {}));
            await attempt('read without answer', send('/inkling/v1/conversations', {mode: 'no-cors'}));
            await attempt('page', send('/', {}));
            await attempt('json', send('/inkling/v1/conversations', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"title":"theirs"}'}));
            await attempt('simple', send('/inkling/v1/conversations', {method: 'POST', mode: 'no-cors', body: '{"title":"theirs"}'}));
            await attempt('delete', send('/inkling/v1/shutdown', {method: 'POST', mode: 'no-cors', body: '{}'}));
            await attempt('beacon', async () => String(navigator.sendBeacon(own + '/inkling/v1/conversations', '{"title":"theirs"}')));
            const element = (tag, properties) => new Promise(done => {
              const made = Object.assign(document.createElement(tag), properties, {onload: () => done('loaded'), onerror: () => done('refused')});
              document.body.append(made);
            });
            await attempt('image', () => element('img', {src: own + '/page/icon.svg'}));
            await attempt('script', () => element('script', {src: own + '/page/app.js', type: 'module', crossOrigin: 'use-credentials'}));
            await attempt('events', () => new Promise(done => {
              const source = new EventSource(own + '/inkling/v1/canvases', {withCredentials: true});
              source.onopen = () => done('open');
              source.onerror = () => { source.close(); done('refused'); };
            }));
            await attempt('frame', async () => { await element('iframe', {src: own + '/'}); return document.querySelector('iframe').contentDocument ? 'read' : 'closed'; });
            const form = Object.assign(document.createElement('form'), {method: 'post', action: own + '/inkling/v1/conversations', enctype: 'text/plain', target: 'sink'});
            document.body.append(Object.assign(document.createElement('iframe'), {name: 'sink'}));
            form.append(Object.assign(document.createElement('input'), {name: '{"title":"theirs","a":"', value: '"}'}));
            document.body.append(form);
            const sent = new Promise(done => { document.querySelector('[name=sink]').onload = done; });
            form.submit();
            await sent;
            return results;""", own)
        self.assertEqual(got, {
            "read": "TypeError", "read without answer": "TypeError", "page": "TypeError", "json": "TypeError",
            "simple": "TypeError", "delete": "TypeError", "beacon": "true", "image": "refused", "script": "refused",
            "events": "refused", "frame": "closed"})
        self.assertEqual(self.daemon.request("GET", "/inkling/v1/conversations"), before)
        self.assertEqual(self.daemon.request("GET", "/health")[0], 200)
        # Browsers tell every port of a host its cookies, so the neighbour's own program tries with ours.
        stolen = next(cookie for cookie in Neighbour.cookies if "inkling-" in cookie)
        for path in ("/inkling/v1/conversations", "/inkling/v1/canvases", "/health"):
            request = urllib.request.Request(own + path, headers={"Cookie": stolen})
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            self.assertEqual(refused.exception.code, 401)
            refused.exception.close()


if __name__ == "__main__":
    unittest.main()
