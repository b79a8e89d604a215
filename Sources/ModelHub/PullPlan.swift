import AssistantAPI

/// What a pull is to bring about, once the hub was asked.
struct PullPlan: Sendable, Equatable {
    var reference: HubReference
    /// What it was asked for by, beside the reference.
    var askedBy: String
    var commit: String
    var selection: Selection

    var planned: PullEvent.Planned {
        .init(
            name: selection.name, repository: reference.repository, revision: commit,
            files: selection.items.map(\.file.planned))
    }

    /// Whether both bring the same bytes to the same place.
    func isSame(as other: PullPlan) -> Bool { selection == other.selection }

    /// Asks the hub what there is, and chooses.
    static func make(
        _ reference: HubReference, askedBy text: String, name: String?, client: HubClient
    ) async throws -> PullPlan {
        let commit = try await client.commit(reference)
        let files = try await client.files(reference, commit: commit)
        let selection = try files.select(reference.choice, name: name)
        let targets = selection.items.map(\.target)
        guard Set(targets).count == targets.count else {
            throw HubError.nothingToUse(
                repository: reference.repository, why: "two of its files have the same name")
        }
        return PullPlan(reference: reference, askedBy: text, commit: commit, selection: selection)
    }

    /// A name for a model that a person chose.
    ///
    /// - Throws: `badName` for one that is no name of a file.
    static func checkName(_ name: String) throws(HubError) {
        guard HubReference.isSafe(path: name), !name.contains("/"), !name.hasPrefix("."),
            name.utf8.count <= 128
        else { throw .badName(name) }
    }
}
