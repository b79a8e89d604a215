import FoundationEssentials
import Glibc

/// Puts the files of a pulled model into their places, so that it is there as a whole or not at all.
struct Installation {
    let plan: PullPlan
    /// Of models.
    let folder: String
    let records: ModelRecords

    /// Where the model will lie.
    var path: String { "\(folder)/\(plan.selection.target)" }

    private var selection: Selection { plan.selection }
    private var isDirectory: Bool { selection.items.contains { $0.target.hasPrefix(selection.target + "/") } }

    /// Whether just these files are in their places already.
    ///
    /// - Throws: `nameTaken` when something is there that was not pulled from this repository.
    func isThere() throws(HubError) -> Bool {
        guard access(path, F_OK) == 0 else { return false }
        let origin = records.origin(of: selection.target)
        guard let origin, origin.repository == plan.reference.repository else {
            throw .nameTaken(name: selection.name, path: path)
        }
        return origin.files == files
            && selection.items.allSatisfy { item in
                WholeFile.size("\(folder)/\(item.target)") == item.file.bytes
            }
    }

    /// Moves checked files to their places, over those of an earlier version.
    func install(_ partials: [PartialFile]) throws(HubError) {
        try WholeFile.makeFolder(folder)
        if isDirectory {
            try installDirectory(partials)
        } else {
            if let parent = selection.target.lastIndex(of: "/") {
                try WholeFile.makeFolder("\(folder)/\(selection.target[..<parent])")
            }
            // Of a split file the first part makes the model appear, and is the last to come.
            for (item, partial) in zip(selection.items, partials).reversed() {
                try partial.move(to: "\(folder)/\(item.target)")
            }
        }
        try WholeFile.sync(folder: folder)
        try record()
    }

    private func installDirectory(_ partials: [PartialFile]) throws(HubError) {
        let name = selection.target
        let draft = "\(folder)/.\(name).pulled"
        remove(draft)
        try WholeFile.makeFolder(draft)
        for (item, partial) in zip(selection.items, partials) {
            let target = draft + item.target.dropFirst(name.utf8.count)
            try WholeFile.makeFolder(String(target[..<(target.lastIndex(of: "/") ?? target.endIndex)]))
            try partial.move(to: target)
        }
        for inner in Set(selection.items.compactMap { item in item.file.folder }) {
            try WholeFile.sync(folder: inner.isEmpty ? draft : "\(draft)/\(inner)")
        }
        // An earlier version makes way in the moment before.
        let old = "\(folder)/.\(name).old"
        remove(old)
        if access(path, F_OK) == 0, rename(path, old) != 0 { throw .last(path) }
        guard rename(draft, path) == 0 else { throw .last(path) }
        remove(old)
    }

    private func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    private var files: [ModelRecords.Origin.File] {
        selection.items.map {
            .init(path: $0.target, bytes: $0.file.bytes, digest: $0.file.digest.description)
        }
    }

    /// Writes down where the model came from.
    func record() throws(HubError) {
        let before = records.origin(of: selection.target)
        let references = [plan.reference.description, plan.askedBy]
        let known = before?.repository == plan.reference.repository ? before?.references ?? [] : []
        let isNew = before?.revision != plan.commit || before?.files != files
        try records.setOrigin(
            .init(
                references: known
                    + references.reduce(into: []) { list, text in
                        if !known.contains(text), !list.contains(text) { list.append(text) }
                    },
                repository: plan.reference.repository, revision: plan.commit,
                pulledAt: isNew ? Date() : before?.pulledAt ?? Date(), files: files),
            of: selection.target)
    }
}
