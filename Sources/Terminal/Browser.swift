import Glibc

/// The person's own browser.
public enum Browser {
    /// Has the desktop open a page; false where there is nothing that could.
    ///
    /// What is started outlives this process and says nothing in the terminal.
    public static func open(_ url: String, environment: [String: String]) -> Bool {
        let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        let places = folders.filter { $0.hasPrefix("/") }.map { "\($0)/xdg-open" }
        guard let program = places.first(where: { access($0, X_OK) == 0 }) else { return false }
        let child = try? ChildProcess.start(
            program, [url], environment: environment, streams: .log(path: "/dev/null"), isDetached: true)
        return child != nil
    }
}
