import Glibc

/// What the daemon sets for its whole process before it does anything else.
public enum ProcessSetup {
    /// Private files, no core dumps, no death by signal for a client or a disk that went away.
    public static func apply() {
        umask(0o077)
        // Writing to a client that left, or past a file size limit, is an error to handle and no end.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // A reload has no meaning yet; a closing terminal must not end a daemon that was started there.
        signal(SIGHUP, SIG_IGN)
        // Conversations belong in no core file, and other processes of this user need not read our memory.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        forbidDumps()
        raiseDescriptorLimit()
    }

    /// Calls prctl(2), which Swift cannot name because its declaration is variadic.
    private static func forbidDumps() {
        typealias Prctl = @convention(c) (CInt, UInt, UInt, UInt, UInt) -> CInt
        guard let symbol = dlsym(nil, "prctl") else { return }
        let prctl = unsafeBitCast(symbol, to: Prctl.self)
        let setDumpable: CInt = 4
        _ = prctl(setDumpable, 0, 0, 0, 0)
    }

    private static func raiseDescriptorLimit() {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 8192)
        setrlimit(files, &limit)
    }

    /// How many connections fit into the descriptor limit, with some left for files.
    public static func connectionLimit(wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        let available = Int(clamping: limit.rlim_cur)
        return max(8, min(wanted, available - max(32, available / 4)))
    }
}
