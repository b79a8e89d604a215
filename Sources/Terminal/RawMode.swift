import Glibc

/// The terminal's raw mode, which is left again however the process ends.
///
/// The state is the process's, as the terminal is: signal handlers must find it without a lock. It is only
/// written by `enter` and `leave`, which the session calls from one task.
enum RawMode {
    /// What a signal handler needs, at an address that stays.
    private struct State {
        /// What the terminal was like before.
        var attributes = termios()
        var hasAttributes = false
        var isRaw: sig_atomic_t = 0
        /// A terminal that is being asked something, and what it was like before; -1 is none.
        var asked: Int32 = -1
        var attributesBeforeAsking = termios()
        /// A file to remove at the end: a text that is being edited elsewhere.
        var temporaryFile: UnsafeMutablePointer<CChar>?
    }

    private nonisolated(unsafe) static let state: UnsafeMutablePointer<State> = {
        let pointer = UnsafeMutablePointer<State>.allocate(capacity: 1)
        pointer.initialize(to: State())
        return pointer
    }()

    /// Bracketed paste on; and at the end: off, the cursor visible, plain colours.
    ///
    /// The end begins with a string's own end, in case a picture was cut off in the middle.
    private static let beginning: StaticString = "\u{1B}[?2004h"
    private static let ending: StaticString = "\u{1B}\\\u{1B}[?2004l\u{1B}[?2026l\u{1B}[?25h\u{1B}[m"

    private static let lineEnd: StaticString = "\n"

    private static let input: Int32 = 0
    private static let output: Int32 = 1

    /// Keys come one by one, unechoed, and Control-C is a key; output is processed as usual.
    ///
    /// - Returns: false when there is no terminal.
    @discardableResult
    static func enter() -> Bool { state.pointee.isRaw != 0 || makeRaw() }

    /// Enters again after the process was stopped, while someone else may have changed the terminal.
    static func renew() { makeRaw() }

    @discardableResult
    private static func makeRaw() -> Bool {
        installHandlers()
        var attributes = termios()
        guard tcgetattr(input, &attributes) == 0 else { return false }
        // Raw ones are our own, which outlived a stop, or those of a shell that edits its line: none to go back to.
        if attributes.c_lflag & tcflag_t(ICANON) != 0 || !state.pointee.hasAttributes {
            state.pointee.attributes = attributes
            state.pointee.hasAttributes = true
        }
        attributes = state.pointee.attributes
        attributes.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON)
        attributes.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | IEXTEN | ISIG)
        withUnsafeMutableBytes(of: &attributes.c_cc) {
            $0[Int(VMIN)] = 1
            $0[Int(VTIME)] = 0
        }
        state.pointee.isRaw = 1
        guard tcsetattr(input, TCSADRAIN, &attributes) == 0 else {
            state.pointee.isRaw = 0
            return false
        }
        write(output, beginning.utf8Start, beginning.utf8CodeUnitCount)
        return true
    }

    /// Puts back what was before; may be called at any time, also from a signal handler.
    static func leave() {
        if state.pointee.asked >= 0 {
            tcsetattr(state.pointee.asked, TCSANOW, &state.pointee.attributesBeforeAsking)
            state.pointee.asked = -1
        }
        guard state.pointee.isRaw != 0 else { return }
        state.pointee.isRaw = 0
        write(output, ending.utf8Start, ending.utf8CodeUnitCount)
        tcsetattr(input, TCSANOW, &state.pointee.attributes)
    }

    /// Gives the terminal back and stops the process group, as the terminal itself would on Control-Z.
    static func suspend() async {
        leave()
        kill(0, SIGTSTP)
        // The stop comes any moment. Where nobody could wake us again, the system ignores it, and we go on.
        try? await Task.sleep(for: .milliseconds(50))
        renew()
    }

    /// Has a file removed when a signal ends the process; `nil` forgets it.
    static func removeAtEnd(_ path: String?) {
        installHandlers()
        let old = state.pointee.temporaryFile
        state.pointee.temporaryFile = path.map { strdup($0) } ?? nil
        free(old)
    }

    /// Has the attributes of a terminal put back when a signal ends the process; `nil` forgets them.
    static func putBackAtEnd(_ attributes: termios?, of terminal: Int32) {
        installHandlers()
        state.pointee.asked = -1
        guard let attributes else { return }
        state.pointee.attributesBeforeAsking = attributes
        state.pointee.asked = terminal
    }

    // MARK: - Signals

    private static let installed: Void = {
        // A handler must find it made.
        _ = state
        // Swift's own handler, which offers to be asked about the crash, would find the terminal raw.
        for signal in [SIGQUIT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE] { endProcess(by: signal) }
        // Of these, what is ignored (as nohup has it) or handled already stays so.
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU] where isDefault(signal) {
            endProcess(by: signal)
        }
        atexit { RawMode.leave() }
    }()

    /// Has the terminal put back by any signal that ends the process; a crash then asks no questions either.
    static func installHandlers() { _ = installed }

    /// Has a signal put the terminal back and then end the process.
    static func endProcess(by signal: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { signal in RawMode.end(by: signal) }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND))
        sigaction(signal, &action, nil)
    }

    private static func isDefault(_ signal: Int32) -> Bool {
        var action = sigaction()
        return sigaction(signal, nil, &action) == 0 && action.__sigaction_handler.sa_handler == nil
    }

    /// Only what may be called in a signal handler: the signal then comes again and ends the process.
    private static func end(by signal: Int32) {
        if state.pointee.isRaw != 0 { write(output, lineEnd.utf8Start, lineEnd.utf8CodeUnitCount) }
        leave()
        if let path = state.pointee.temporaryFile { unlink(path) }
        raise(signal)
    }
}
