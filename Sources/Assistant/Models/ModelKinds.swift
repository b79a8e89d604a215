import AssistantAPI
import FoundationEssentials
import Glibc
import Synchronization

/// Tells models that answer from models that paint, by what is in their files; each file is looked at once.
final class ModelKinds: Sendable {
    private let known = Mutex<[String: (stamp: FileStamp, kind: ModelSummary.Kind?)]>([:])

    /// What the model at a path makes; `nil` where there is none.
    func kind(of path: String) -> ModelSummary.Kind? {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return nil }
        if isDirectory { return Self.kind(ofDirectory: path) }
        if path.hasSuffix(".gguf") { return .chat }
        return path.hasSuffix(".safetensors") ? kind(ofWeights: path) : nil
    }

    private static func kind(ofDirectory path: String) -> ModelSummary.Kind? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        // Of diffusers' directories: which parts there are, and in which folders.
        if names.contains("model_index.json") { return .picture }
        let hasWeights = names.contains {
            $0.hasSuffix(".safetensors") || $0.hasSuffix(".safetensors.index.json")
        }
        guard names.contains("config.json"), hasWeights else { return nil }
        // A part of a diffusers model (TAESD, a VAE) has a class of theirs in its configuration, and answers nothing.
        return contains(path + "/config.json", "\"_class_name\"", limit: 1 << 20) ? nil : .chat
    }

    /// A single file with the network of a latent diffusion model is one; any other may be a language model's.
    private func kind(ofWeights path: String) -> ModelSummary.Kind? {
        let stamp = FileStamp(path)
        if let entry = known.withLock({ $0[path] }), entry.stamp == stamp { return entry.kind }
        let kind: ModelSummary.Kind?
        if Self.contains(path, "\"model.diffusion_model.", limit: Self.headerLimit) {
            kind = .picture
        } else {
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            kind = FileManager.default.fileExists(atPath: folder + "/config.json") ? .chat : nil
        }
        known.withLock { known in
            // Absolute paths come from clients: what is kept must not grow with them.
            if known.count >= 256 { known = [:] }
            known[path] = (stamp, kind)
        }
        return kind
    }

    /// The longest header of a safetensors file that is looked through, as long as the longest that is read.
    private static let headerLimit = 16 << 20

    /// Whether a text stands in the first bytes of a file; of safetensors only the header counts.
    private static func contains(_ path: String, _ text: String, limit: Int) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return false }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
        var count = min(limit, Int(status.st_size))
        if path.hasSuffix(".safetensors") {
            var length: UInt64 = 0
            guard read(file, &length, 8) == 8 else { return false }
            count = Int(min(UInt64(count), UInt64(littleEndian: length)))
        }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let part = bytes.withUnsafeMutableBytes {
                read(file, $0.baseAddress.map { $0 + done }, count - done)
            }
            guard part > 0 else { break }
            done += part
        }
        return find(Array(text.utf8), in: bytes[..<done])
    }

    private static func find(_ wanted: [UInt8], in bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, bytes.count >= wanted.count else { return false }
            var place = 0
            let last = bytes.count - wanted.count
            // From one occurrence of the first byte to the next.
            while place <= last, let hit = memchr(start + place, Int32(wanted[0]), last - place + 1) {
                if memcmp(hit, wanted, wanted.count) == 0 { return true }
                place = UnsafeRawPointer(hit) - start + 1
            }
            return false
        }
    }
}
