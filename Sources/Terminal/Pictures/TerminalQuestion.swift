import Glibc
import Synchronization

/// Asks the terminal what it can do.
enum TerminalQuestion {
    /// How long the answers may take; a terminal on another machine may need most of it.
    private static let patience = Duration.milliseconds(300)

    /// What was typed while the terminal was asked; the process's, as the terminal is.
    private static let typed = Mutex<[UInt8]>([])

    /// The size of a cell in pixels, where the system knows it.
    static func cellSize() -> PixelSize? {
        var window = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return nil
        }
        let width = Int(window.ws_xpixel) / Int(window.ws_col)
        let height = Int(window.ws_ypixel) / Int(window.ws_row)
        return (2...256).contains(width) && (2...256).contains(height)
            ? PixelSize(width: width, height: height) : nil
    }

    /// Asks the process's own terminal, wherever its standard streams go.
    static func ask(asksKitty: Bool) -> TerminalAnswers {
        let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return TerminalAnswers() }
        defer { close(terminal) }
        // In the background a process that changes the terminal is stopped.
        guard tcgetpgrp(terminal) == getpgrp() else { return TerminalAnswers() }
        let answers = ask(terminal, asksKitty: asksKitty)
        typed.withLock { $0 += answers.typed }
        return answers
    }

    /// What was typed while the terminal was asked, once: for whoever reads keys from then on.
    ///
    /// A program that reads no keys has nobody to give it to: what a terminal handed out it doesn't take back.
    static func takeTyped() -> [UInt8] {
        typed.withLock { typed in
            defer { typed = [] }
            return typed
        }
    }

    /// Asks, and reads until the last answer or until the time is up.
    static func ask(
        _ terminal: Int32, asksKitty: Bool = true, patience: Duration = Self.patience
    ) -> TerminalAnswers {
        var answers = TerminalAnswers()
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else { return answers }
        var raw = before
        // Control-C too comes as a byte, so that nothing ends the process before the terminal is put back.
        raw.c_lflag &= ~tcflag_t(ECHO | ECHONL | ICANON | IEXTEN | ISIG)
        raw.c_iflag &= ~tcflag_t(ICRNL | INLCR | IXON)
        withUnsafeMutableBytes(of: &raw.c_cc) {
            $0[Int(VMIN)] = 0
            $0[Int(VTIME)] = 0
        }
        RawMode.putBackAtEnd(before, of: terminal)
        defer { RawMode.putBackAtEnd(nil, of: terminal) }
        guard tcsetattr(terminal, TCSADRAIN, &raw) == 0 else { return answers }
        var isInterrupted = false
        let question = TerminalAnswers.question(asksKitty: asksKitty)
        if FileBytes.write(Array(question.utf8), to: terminal) {
            isInterrupted = read(terminal, &answers, until: .now.advanced(by: patience))
        }
        // Answers to a program that was interrupted are for nobody.
        if isInterrupted { tcflush(terminal, TCIFLUSH) }
        tcsetattr(terminal, TCSANOW, &before)
        if isInterrupted { raise(SIGINT) }
        return answers
    }

    /// Reads answers; true when Control-C was typed meanwhile.
    private static func read(
        _ terminal: Int32, _ answers: inout TerminalAnswers, until deadline: ContinuousClock.Instant
    ) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1024)
        while !answers.isComplete {
            // What is there when the time is up is read, too: half an answer is not for whoever reads next.
            let left: Double = max(0, ContinuousClock.now.duration(to: deadline) / .milliseconds(1))
            var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(left.rounded(.up)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return false }
            let count = buffer.withUnsafeMutableBytes { Glibc.read(terminal, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            if buffer[..<count].contains(0x03) { return true }
            answers.take(buffer[..<count])
        }
        return false
    }
}
