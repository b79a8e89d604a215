import Glibc

/// A program that was started from here.
struct ChildProcess: Sendable {
    enum Ending: Sendable, Equatable {
        case exited(code: Int32)
        case killed(signal: Int32)
    }

    let id: pid_t

    /// How the child's standard streams are set up.
    enum Streams: Sendable {
        case inherited
        /// No input; output and errors are appended to a file that only its owner can read.
        case log(path: String)
    }

    /// Starts a program; a detached one has a session of its own, so that it outlives the terminal.
    static func start(
        _ executable: String, _ arguments: [String], environment: [String: String], streams: Streams,
        isDetached: Bool
    ) throws(SystemError) -> Self {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if case .log(let path) = streams {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        setSignals(&attributes, isDetached: isDetached)

        var id = pid_t()
        let code = withCStrings([executable] + arguments) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { envp in
                posix_spawn(&id, executable, &actions, &attributes, argv, envp)
            }
        }
        guard code == 0 else { throw SystemError(code: code) }
        return Self(id: id)
    }

    /// A child starts with the signals as a shell would give them to it.
    private static func setSignals(_ attributes: inout posix_spawnattr_t, isDetached: Bool) {
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH] {
            sigaddset(&signals, signal)
        }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, a GNU addition that the module does not show
        let flags = Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | (isDetached ? newSession : 0)
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }

    /// How it ended, or `nil` while it runs.
    func poll() -> Ending? { wait(WNOHANG) }

    /// Waits on a thread of its own until it ends.
    func waitForEnd() -> Ending { wait(0) ?? .exited(code: 127) }

    private func wait(_ options: Int32) -> Ending? {
        var status: Int32 = 0
        while true {
            let found = waitpid(id, &status, options)
            if found == id { break }
            if found < 0, errno == EINTR { continue }
            return found < 0 ? .exited(code: 127) : nil
        }
        let signal = status & 0x7F
        return signal == 0 ? .exited(code: (status >> 8) & 0xFF) : .killed(signal: signal)
    }
}

/// A refusal of the system.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    public var code: Int32

    public var description: String { ClientError.system(code) }
}

/// Calls `body` with a null-terminated array of C strings, as `execve` and `posix_spawn` want it.
func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
}
