import FoundationEssentials
import HTTPTypes
import Testing

@testable import Server

/// Forms in parts: what is one is read to the byte, and nothing else is.
struct MultipartFormTests {
    private typealias Part = MultipartForm.Part

    private static let text = [
        "--b", #"Content-Disposition: form-data; name="prompt""#, "", "a fox", "--b",
        #"content-disposition:form-data;filename="C:\a \"b\".png" ; name=image"#, "Content-Type: image/png",
        "", "\u{1}\r",
        "--b  ", #"Content-Disposition: form-data; name="n""#, "Content-Type: text/plain; charset=utf-8", "",
        "", "--b--",
    ].joined(separator: "\r\n")

    private static func form(_ text: String, boundary: String = "b") throws -> MultipartForm {
        try MultipartForm(Array(text.utf8), boundary: boundary)
    }

    private static func fields(_ parts: (inout FormBuilder) -> Void) throws -> Fields {
        var builder = FormBuilder()
        parts(&builder)
        return try Fields(MultipartForm(builder.body, boundary: builder.boundary))
    }

    @Test func partsHaveTheirNamesAndBytes() throws {
        let parts = [
            Part(name: "prompt", isFile: false, content: Array("a fox".utf8)),
            Part(name: "image", isFile: true, content: [1, 0x0D]),
            Part(name: "n", isFile: false, content: []),
        ]
        #expect(try Self.form(Self.text).parts == parts)
        #expect(try Self.form(Self.text + "\r\n").parts == parts)
        #expect(try Self.form("--b--").parts.isEmpty)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var numbers = SeededNumbers(state: 1)
        for _ in 0..<500 {
            // Few different bytes, so that contents nearly have boundaries in them.
            let alphabet = Array("\r\n--ab:".utf8) + [0, 0xFF]
            let boundary = String(
                (0..<Int.random(in: 1...3, using: &numbers)).map { _ in "ab".randomElement(using: &numbers)! }
            )
            var builder = FormBuilder(boundary: boundary)
            var parts: [Part] = []
            for index in 0..<Int.random(in: 0...5, using: &numbers) {
                let count = Int.random(in: 0...40, using: &numbers)
                let content = (0..<count).map { _ in alphabet.randomElement(using: &numbers)! }
                let isTorn =
                    (content + Array("\r\n--\(boundary)".utf8)).firstRange(
                        of: Array("\r\n--\(boundary)".utf8))?.lowerBound != content.count
                if isTorn { continue }
                let name = "field\(index)"
                builder.add(name, file: content)
                parts.append(Part(name: name, isFile: true, content: content))
            }
            #expect(try MultipartForm(builder.body, boundary: boundary).parts == parts)
        }
    }

    @Test func aFormThatIsCutOffIsRefused() throws {
        let whole = Array(Self.text.utf8)
        for count in 0..<whole.count {
            let error = #expect(throws: Failure.self) {
                try MultipartForm(Array(whole.prefix(count)), boundary: "b")
            }
            #expect(error?.code == "invalid_form" && error?.status == .badRequest, "\(count)")
        }
    }

    @Test func anyBytesAreAFormOrRefused() throws {
        var numbers = SeededNumbers(state: 2)
        let whole = Array(Self.text.utf8)
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &numbers) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &numbers)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(whole.randomElement(using: &numbers)!, at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 20))
                }
            }
            do throws(Failure) {
                _ = try Fields(MultipartForm(bytes, boundary: "b"))
            } catch {
                refused += 1
                #expect(error.status == .badRequest)
            }
        }
        #expect(refused > 1000 && refused < 20_000)
    }

    private static let failures: [(text: String, says: String)] = [
        ("", "begin with its boundary"), ("preamble\r\n--b--", "begin with its boundary"),
        ("--bc\r\n", "line break"), ("--b--more", "4 bytes follow"),
        ("--b\r\nX: 1", "within a part's headers"),
        ("--b\r\n\r\nx\r\n--b--", "Content-Disposition"),
        ("--b\r\nno colon\r\n\r\nx\r\n--b--", "lines such as"),
        ("--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--", "attachment"),
        ("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", "form-data"),
        ("--b\r\nA: 1\r\na: 2\r\n\r\nx\r\n--b--", "header a twice"),
        (
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--",
            "base64"
        ),
        ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx--b--", "ends within 'a'"),
    ]

    @Test func whatIsNoFormIsRefusedWithTheReason() {
        for (text, says) in Self.failures {
            let error = #expect(throws: Failure.self) { try Self.form(text) }
            #expect(
                error?.code == "invalid_form" && error?.message.contains(says) == true,
                "\(text): \(error?.message ?? "")")
        }
    }

    @Test func partsAndHeadersAreBounded() throws {
        var builder = FormBuilder()
        for index in 0..<MultipartForm.maximumPartCount { builder.add("f\(index)", "x") }
        let most = builder.body
        #expect(
            try MultipartForm(most, boundary: builder.boundary).parts.count == MultipartForm.maximumPartCount)
        builder.add("more", "x")
        let more = builder.body
        let tooMany = #expect(throws: Failure.self) { try MultipartForm(more, boundary: "a9c5d4") }
        #expect(tooMany?.message.contains("64 parts") == true)
        var long = FormBuilder()
        let header = "X: " + String(repeating: "x", count: MultipartForm.maximumHeaderBytes)
        long.add(headers: ["Content-Disposition: form-data; name=a", header], [])
        let body = long.body
        let tooLong = #expect(throws: Failure.self) { try MultipartForm(body, boundary: "a9c5d4") }
        #expect(tooLong?.message.contains("8192 bytes") == true)
    }

    @Test func theBoundaryIsInTheContentType() throws {
        let cases = [
            ("multipart/form-data; boundary=x", "x"),
            ("Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b\";", "a b"),
            (
                "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
                "----WebKitFormBoundary7MA4YWxkTrZu0gW"
            ),
            (
                "multipart/form-data; boundary=" + String(repeating: "b", count: 70),
                String(repeating: "b", count: 70)
            ),
        ]
        for (type, boundary) in cases {
            #expect(MultipartForm.isNamed(in: type))
            #expect(try MultipartForm.boundary(in: type) == boundary)
        }
        for wrong in [
            "", "; boundary=", "; boundary=\"\"", "; boundary=\"a", "; boundary=\"a \"",
            "; boundary=a{b",
            "; boundary=é", "; boundary=x; boundary=y", "; boundary=" + String(repeating: "b", count: 71),
            "x; boundary=y",
        ] {
            let error = #expect(throws: Failure.self, "\(wrong)") {
                try MultipartForm.boundary(in: "multipart/form-data" + wrong)
            }
            #expect(error?.code == "invalid_form")
        }
        #expect(!MultipartForm.isNamed(in: "application/json"))
    }

    @Test func theTextOfAFormIsReadAsWhatAFieldIs() throws {
        let fields = try Self.fields { form in
            for (name, text) in [
                ("n", "2"), ("strength", "0.5"), ("stream", "true"), ("prompt", "7"),
                ("seed", "18446744073709551615"),
                ("keep_alive", "5m"), ("loras", #"[{"name":"ink","weight":2}]"#), ("empty", ""),
                ("none", "null"),
                ("word", "x"),
            ] { form.add(name, text) }
            for text in ["a", "b"] { form.add("list[]", text) }
        }
        #expect(try fields.integer("n", in: 1...3) == 2)
        #expect(try fields.number("strength", in: 0...1) == 0.5)
        #expect(try fields.bool("stream") == true)
        #expect(try fields.string("prompt") == "7")
        #expect(try fields.seed("seed") == .max)
        #expect(try fields.keepAlive() != nil)
        #expect(try fields.array("loras")?.first?["name"] == "ink")
        #expect(try fields.array("list") == ["a", "b"])
        #expect(try fields.string("empty") == nil)
        #expect(try fields.integer("none", in: 1...3) == nil)
        for read in [
            { _ = try fields.integer("n", in: 5...6) }, { _ = try fields.bool("word") },
            { _ = try fields.number("word", in: 0...1) },
        ] as [() throws -> Void] {
            let error = #expect(throws: Failure.self) { try read() }
            #expect(error?.status == .badRequest)
        }
    }

    @Test func fieldsThatAreNoneAreRefusedByName() throws {
        let wrong: [(parts: (inout FormBuilder) -> Void, field: String)] = [
            ({ form in for text in ["1", "2"] { form.add("n", text) } }, "n"),
            (
                { form in
                    form.add("a", "1"); form.add("a[]", "2")
                }, "a"
            ),
            (
                { form in
                    form.add("a", "1"); form.add("a", file: [1])
                }, "a"
            ),
            ({ form in form.add("loras[][name]", "ink") }, "loras[][name]"),
            ({ form in form.add("[]", "x") }, "[]"),
            (
                { form in form.add(headers: ["Content-Disposition: form-data; name=image"], [0xFF, 0xFE]) },
                "image"
            ),
        ]
        for (parts, field) in wrong {
            let error = #expect(throws: Failure.self, "\(field)") { try Self.fields(parts) }
            #expect(error?.parameter == field && error?.status == .badRequest)
        }
    }
}

/// Random numbers that a seed repeats (SplitMix64).
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
