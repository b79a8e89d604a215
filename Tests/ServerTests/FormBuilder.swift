/// Writes forms in parts, as clients do.
struct FormBuilder {
    var boundary = "a9c5d4"
    private var bytes: [UInt8] = []

    init(boundary: String = "a9c5d4") { self.boundary = boundary }

    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// The whole form.
    var body: [UInt8] { bytes + Array("--\(boundary)--\r\n".utf8) }

    /// Adds a part with these headers.
    mutating func add(headers: [String], _ content: [UInt8]) {
        let lines = ["--\(boundary)"] + headers + ["", ""]
        bytes += Array(lines.joined(separator: "\r\n").utf8) + content + Array("\r\n".utf8)
    }

    mutating func add(_ name: String, _ text: String) {
        add(headers: ["Content-Disposition: form-data; name=\"\(name)\""], Array(text.utf8))
    }

    mutating func add(_ name: String, file: [UInt8]) {
        add(
            headers: [
                "Content-Disposition: form-data; name=\"\(name)\"; filename=\"upload\"",
                "Content-Type: application/octet-stream",
            ], file)
    }
}

extension RunningDaemon {
    /// Posts a form on a connection of its own.
    func post(_ path: String, _ form: FormBuilder) async throws -> TestResponse {
        let connection = try connect()
        let head = TestConnection.text(
            "POST", path,
            headers: ["Content-Type": form.contentType, "Content-Length": String(form.body.count)])
        try connection.send(Array(head.utf8) + form.body)
        return try await connection.response()
    }
}
