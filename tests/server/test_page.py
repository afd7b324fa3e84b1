"""The web page as the server gives it: the document, its files, what a browser may do with them. THEATER_PAGE says whether the program
was built with the page."""

import gzip
import os
import re
import unittest

from support import Case

BUILT = os.environ.get("THEATER_PAGE") == "1"
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "html": "text/html; charset=utf-8",
         "woff2": "font/woff2"}


class Document(Case):
    options = ["--require-token"]  # the page itself needs none: it asks for it

    def test_it_is_html_without_a_token_and_asked_for_each_time(self):
        reply = self.get("/")
        self.assertEqual(reply.headers["Content-Type"], TYPES["html"])
        self.assertEqual(reply.headers["Cache-Control"], "no-cache")
        self.assertTrue(reply.body.startswith(b"<!doctype html>"))
        self.get("/v1/actors", 401)

    def test_a_browser_that_has_it_gets_a_304(self):
        for encoding in ("gzip", "identity"):
            reply = self.get("/", Accept_Encoding=encoding)
            again = self.get("/", 304, Accept_Encoding=encoding, If_None_Match=reply.headers["ETag"])
            self.assertEqual(again.body, b"")
            self.assertEqual(again.headers["ETag"], reply.headers["ETag"])
            self.assertEqual(again.headers["Cache-Control"], "no-cache")
            self.assertNotIn("Content-Encoding", again.headers)
        self.get("/", 200, If_None_Match='"another"')

    def test_head_says_the_same_without_the_body(self):
        reply = self.get("/", Accept_Encoding="gzip")
        head = self.request("HEAD", "/", None, 200, Accept_Encoding="gzip")
        self.assertEqual(head.body, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
            self.assertEqual(head.headers[name], reply.headers[name])

    def test_gzip_for_who_takes_it(self):
        plain = self.get("/", Accept_Encoding="identity")
        packed = self.get("/", Accept_Encoding="br, gzip")
        self.assertNotIn("Content-Encoding", plain.headers)
        self.assertEqual(plain.body, self.get("/").body)
        if BUILT:
            self.assertEqual(packed.headers["Content-Encoding"], "gzip")
            self.assertEqual(packed.headers["Vary"], "Accept-Encoding")
            self.assertEqual(gzip.decompress(packed.body), plain.body)
            self.assertNotEqual(packed.headers["ETag"], plain.headers["ETag"])

    def test_what_it_may_do_is_bounded_to_this_server(self):
        headers = self.get("/").headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        for name in ("script-src", "style-src", "connect-src", "worker-src", "font-src"):
            self.assertEqual(policy[name], "'self'", name)
        self.assertEqual(policy["img-src"], "'self' data:")
        for name in ("base-uri", "form-action", "frame-ancestors"):
            self.assertEqual(policy[name], "'none'", name)
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(headers["Referrer-Policy"], "no-referrer")

    def test_the_document_keeps_to_that_itself(self):
        text = self.get("/").body.decode()
        self.assertNotRegex(text, r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=")
        self.assertNotRegex(text, r"https?://")

    def test_other_methods_and_paths(self):
        reply = self.post("/", b"", 405)
        self.problem(reply, "method-not-allowed")
        self.assertEqual(reply.headers["Allow"], "GET, HEAD")
        for path in ("/assets/", "/assets", "/assets/none.js", "/assets/..", "/assets/%2e%2e%2fetc%2fpasswd", "/assets/a/b", "/index.html"):
            self.problem(self.get(path, 404), "not-found")
        self.alive()

    def test_it_is_no_part_of_the_api(self):
        paths = self.get("/v1/openapi.json").json["paths"]
        self.assertNotIn("/", paths)
        self.assertFalse([path for path in paths if path.startswith("/assets")])


@unittest.skipUnless(BUILT, "this program was built without the page")
class Files(Case):
    def files(self):
        found = re.findall(r'(?:src|href)="(/assets/[^"]+)"', self.get("/").body.decode())
        script = next(path for path in found if path.endswith(".js"))
        found += {path for path in re.findall(r"/assets/[\w.-]+", self.get(script).body.decode())}
        return found

    def test_each_file_is_there_with_its_type_and_kept_for_ever(self):
        files = self.files()
        self.assertEqual({path.rsplit(".", 1)[1] for path in files} & {"js", "css", "svg"}, {"js", "css", "svg"})
        self.assertTrue(any("/worker-" in path for path in files), files)
        for path in files:
            reply = self.get(path, Accept_Encoding="gzip")
            self.assertEqual(reply.headers["Content-Type"], TYPES[path.rsplit(".", 1)[1]])
            self.assertEqual(reply.headers["Cache-Control"], "public, max-age=31536000, immutable")
            self.assertRegex(path, r"-[0-9A-Za-z]{8,}\.\w+$")
            plain = self.get(path).body
            self.assertEqual(gzip.decompress(reply.body), plain)
            self.get(path, 304, Accept_Encoding="gzip", If_None_Match=reply.headers["ETag"])

    def test_no_address_but_this_server(self):
        """Names of XML's own vocabularies are no addresses; they are never fetched."""
        for path in self.files():
            text = self.get(path).body.decode()
            elsewhere = set(re.findall(r"(?:https?|wss?)://[\w.-]+", text)) - {"http://www.w3.org"}
            self.assertEqual(elsewhere, set(), path)


@unittest.skipIf(BUILT, "this program was built with the page")
class Without(Case):
    def test_the_document_says_so_and_names_the_api(self):
        text = self.get("/").body.decode()
        self.assertIn("built without its web page", text)
        for path in re.findall(r'href="([^"]+)"', text):
            self.get(path)


if __name__ == "__main__":
    unittest.main()
