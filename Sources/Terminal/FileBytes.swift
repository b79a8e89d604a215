import Glibc

/// Small files and descriptors, read and written whole.
enum FileBytes {
    /// The bytes of a file, or `nil` when it cannot be read or has more than `limit`.
    static func read(_ path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor, limit: limit)
    }

    /// The last bytes of a file, at most `limit`, and whether they are all of it; `nil` when it cannot be read.
    static func readEnd(of path: String, limit: Int) -> (bytes: [UInt8], isWhole: Bool)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let start = max(0, Int(lseek(descriptor, 0, SEEK_END)) - limit)
        guard lseek(descriptor, off_t(start), SEEK_SET) >= 0 else { return nil }
        // Another session may append meanwhile.
        return read(descriptor, limit: 2 * limit).map { ($0, start == 0) }
    }

    /// Everything up to the end, or `nil` on an error or when there is more than `limit`.
    static func read(_ descriptor: Int32, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            if bytes.count > limit { return nil }
        }
    }

    /// Writes everything, also to a descriptor that does not block; false on an error, which is in `errno`.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count >= 0 {
                    done += count
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// Makes the folder of a file, and those above it, for the owner alone.
    static func makePrivateFolder(above path: String) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        let folder = String(path[..<slash])
        if mkdir(folder, 0o700) != 0, errno == ENOENT {
            makePrivateFolder(above: folder)
            mkdir(folder, 0o700)
        }
    }
}

extension FileBytes {
    /// The size of a file; 0 when there is none.
    static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// The last line that is not blank, of what was added to a file after its first `start` bytes.
    static func lastLine(of path: String, since start: Int) -> String? {
        guard let bytes = read(path, limit: 16 << 20), bytes.count > start else { return nil }
        let lines = bytes[start...].split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
        return lines.last { $0.contains { !$0.isWhitespace } }
    }
}
