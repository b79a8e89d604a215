import Glibc

/// Files that are there whole or not at all.
enum WholeFile {
    /// Writes bytes under another name, syncs them, and moves them to their place.
    static func write(_ bytes: [UInt8], to path: String) throws(HubError) {
        let draft = "\(path).\(getpid()).new"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .last(path) }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = HubError.last(path)
                unlink(draft)
                throw error
            }
            done += count
        }
        guard fsync(file) == 0, rename(draft, path) == 0 else {
            let error = HubError.last(path)
            unlink(draft)
            throw error
        }
    }

    /// Copies what a descriptor has to a place on another disk, whole or not at all.
    static func copy(_ descriptor: Int32, to path: String) throws(HubError) {
        let draft = "\(path).\(getpid()).new"
        let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .last(path) }
        defer { close(file) }
        do throws(HubError) {
            var offset: off_t = 0
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw .last(path) }
            while offset < status.st_size {
                let count = sendfile(file, descriptor, &offset, 64 << 20)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw .last(path) }
            }
            guard fsync(file) == 0, rename(draft, path) == 0 else { throw .last(path) }
        } catch {
            unlink(draft)
            throw error
        }
    }

    /// Makes the names in a folder safe on disk.
    static func sync(folder: String) throws(HubError) {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last(folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last(folder) }
    }

    /// Makes a folder and those above it, for the owner alone.
    static func makeFolder(_ path: String) throws(HubError) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .last(path)
        }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last(path) }
    }
}

extension HubError {
    /// What the system said of the last call.
    static func last(_ path: String) -> HubError {
        .system(path: path, reason: String(cString: strerror(errno)))
    }
}

extension WholeFile {
    /// The size of a file; `nil` where there is none.
    static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }
}
