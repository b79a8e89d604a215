public import AssistantAPI
import Glibc
public import Settings

/// What can be told of an installation without the daemon: its configuration and its folders.
public enum LocalFindings {
    /// Whether the configuration can be used, and where it lies.
    ///
    /// - Returns: the finding, and what it says where it can be used.
    public static func configuration(
        environment: [String: String]
    ) -> (finding: DoctorFinding, settings: (Configuration, Paths)?) {
        do {
            let configuration = try Configuration.load(environment: environment)
            let paths = try Paths(environment: environment).applying(configuration)
            let file =
                environment["INKLING_CONFIG"].flatMap { $0.isEmpty ? nil : $0 } ?? paths.configurationFile
            let text =
                access(file, F_OK) == 0 ? "\(file) can be read" : "there is no \(file); the defaults count"
            return (DoctorFinding("configuration", .ok, text), (configuration, paths))
        } catch {
            return (DoctorFinding("configuration", .fail, "\(error)"), nil)
        }
    }

    /// Whether the folders are this user's alone.
    public static func folders(_ paths: Paths) -> DoctorFinding {
        let problems = [paths.configuration, paths.data, paths.models, paths.state, paths.runtime]
            .compactMap(problem)
        if let worst = problems.first(where: { $0.grade == .fail }) ?? problems.first { return worst }
        return DoctorFinding("folders", .ok, "they belong to you, and nobody else can enter them")
    }

    private static func problem(_ folder: String) -> DoctorFinding? {
        var status = stat()
        // The daemon makes what isn't there yet.
        guard lstat(folder, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return DoctorFinding("folders", .fail, "\(folder) is no folder")
        }
        guard status.st_uid == geteuid() else {
            return DoctorFinding(
                "folders", .fail, "\(folder) belongs to user \(status.st_uid), not to user \(geteuid())")
        }
        guard status.st_mode & 0o700 == 0o700 else {
            return DoctorFinding(
                "folders", .fail, "\(folder) is closed to yourself; run: chmod 700 \(folder)")
        }
        guard status.st_mode & 0o077 == 0 else {
            return DoctorFinding(
                "folders", .warn, "others can enter \(folder); the daemon closes it when it starts")
        }
        return nil
    }
}
