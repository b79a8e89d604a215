import AssistantAPI
import FoundationEssentials
import Glibc
import Synchronization

/// One pull on its way: files are had, compared with their digests, and put into their places together.
struct PullWork: Sendable {
    let plan: PullPlan
    let folders: PullFolders
    let records: ModelRecords
    let transport: HubTransport
    let retrying: Retrying
    var division = FileDownload.Division()
    let report: @Sendable (PullEvent) -> Void

    /// Returns when the model is there.
    ///
    /// - Throws: `HubError`, or `CancellationError`; what came by then is kept.
    func run() async throws -> PullEvent.Completed {
        report(.planned(plan.planned))
        let installation = Installation(plan: plan, folder: folders.models, records: records)
        if try installation.isThere() {
            try installation.record()
            return completed(installation, wasThere: true)
        }
        try WholeFile.makeFolder(folders.downloads)
        var partials: [PartialFile] = []
        for item in plan.selection.items {
            partials.append(try PartialFile(item.file, in: folders.downloads))
        }
        try checkSpace(for: partials)
        let progress = PullProgress(plan, partials, report)
        for (index, partial) in partials.enumerated() {
            try await download(index, partial, progress)
        }
        for (index, partial) in partials.enumerated() {
            try await partial.verify { progress.verified(index, $0) }
        }
        try Task.checkCancellation()
        try installation.install(partials)
        return completed(installation, wasThere: false)
    }

    private func completed(_ installation: Installation, wasThere: Bool) -> PullEvent.Completed {
        .init(
            name: plan.selection.name, path: installation.path, bytes: plan.selection.bytes,
            wasThere: wasThere)
    }

    private func download(_ index: Int, _ partial: PartialFile, _ progress: PullProgress) async throws {
        let client = HubClient(transport: transport, retrying: retrying)
        let download = FileDownload(
            file: partial.file,
            address: client.address(
                of: partial.file, in: plan.reference.repository, commit: plan.commit),
            reference: plan.reference, partial: partial, transport: transport, retrying: retrying,
            division: division, report: { progress.received(index, $0) })
        try await download.run()
    }

    /// Whether the disk has room for what is still to come, before anything comes.
    private func checkSpace(for partials: [PartialFile]) throws(HubError) {
        let missing = partials.reduce(0) { $0 + $1.file.bytes - $1.allocatedBytes }
        try folders.check(folders.downloads, needs: missing)
        if !folders.isOneDisk { try folders.check(folders.models, needs: plan.selection.bytes) }
    }
}

/// Where models are put, and where they are on their way.
struct PullFolders: Sendable {
    var models: String
    var downloads: String
    /// The bytes that are free where a folder lies; `nil` where the system does not say.
    var freeBytes: @Sendable (String) -> Int? = { path in
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize)).partialValue
    }

    func check(_ folder: String, needs bytes: Int) throws(HubError) {
        guard let free = freeBytes(folder), free < bytes else { return }
        throw .noSpace(folder: folder, needed: bytes, available: free)
    }

    var isOneDisk: Bool {
        var (one, other) = (stat(), stat())
        return stat(models, &one) == 0 && stat(downloads, &other) == 0 && one.st_dev == other.st_dev
    }
}

/// How much of all files is here; told a few times a second, and never less than before.
final class PullProgress: Sendable {
    private struct State {
        var files: [Int]
        var told: ContinuousClock.Instant?
    }

    private let sizes: [Int]
    private let state: Mutex<State>
    private let report: @Sendable (PullEvent) -> Void
    private static let interval = Duration.milliseconds(100)

    init(_ plan: PullPlan, _ partials: [PartialFile], _ report: @escaping @Sendable (PullEvent) -> Void) {
        sizes = plan.selection.items.map(\.file.bytes)
        self.report = report
        state = Mutex(State(files: partials.map(\.finishedBytes)))
    }

    private var total: Int { sizes.reduce(0, +) }

    func received(_ file: Int, _ new: Int) {
        state.withLock { state in
            state.files[file] += new
            let isDone = state.files[file] >= sizes[file]
            guard isDone || isDue(&state) else { return }
            let completed = state.files.reduce(0, +)
            // Told within the lock, so that no older count follows a newer one.
            report(
                .progress(
                    .init(file: file, fileCompleted: state.files[file], completed: completed, total: total)))
        }
    }

    func verified(_ file: Int, _ count: Int) {
        state.withLock { state in
            guard count == sizes[file] || isDue(&state) else { return }
            let before = sizes[..<file].reduce(0, +)
            report(
                .verifying(.init(file: file, fileCompleted: count, completed: before + count, total: total)))
        }
    }

    private func isDue(_ state: inout State) -> Bool {
        let now = ContinuousClock.now
        if let told = state.told, now - told < Self.interval { return false }
        state.told = now
        return true
    }
}
