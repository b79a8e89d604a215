import ArgumentParser
import AssistantAPI
import Terminal

/// `inkling pictures`.
struct PicturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pictures", abstract: "List, show, save and delete the pictures that were painted.",
        discussion: """
            Examples:
              inkling pictures                       # the newest ones, with their ids
              inkling pictures show last
              inkling pictures save 0195f3 -o fox.png
            """,
        subcommands: [List.self, Show.self, Save.self, Delete.self], defaultSubcommand: List.self)
}

extension PicturesCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List pictures, the newest first.")

        @Option(name: .shortAndLong, help: "How many at most; 0 lists all.")
        var limit = 20
        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if limit < 0 { throw ValidationError("--limit takes a number of pictures, or 0 for all") }
        }

        func run() async throws {
            try await HistoryCommand.withDaemon { client in
                let columns = StandardStreams.outputColumns
                var all: [Picture] = []
                var left = limit == 0 ? Int.max : limit
                var page: String?
                repeat {
                    let list = try await client.pictures(before: page, limit: min(left, 100))
                    let pictures = list.pictures.prefix(left)
                    left -= pictures.count
                    page = list.next
                    all += pictures
                    guard !json else { continue }
                    let rows = pictures.map { PictureText.row($0, columns: columns) + "\n" }
                    StandardStreams.write(rows.joined(), to: 1)
                } while page != nil && left > 0
                if json {
                    try HistoryCommand.printJSON(PictureList(pictures: all))
                } else if all.isEmpty {
                    StandardStreams.complain("there is no picture yet; paint one: inkling imagine \"a fox\"")
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a picture in the terminal, and how it was painted.")

        @Argument(help: "Its id, the beginning of it, or \"last\".")
        var id: String
        @OptionGroup var graphics: GraphicsOption
        @Flag(help: "Print one JSON object.")
        var json = false

        func run() async throws {
            let environment = try Daemon().environment
            try await HistoryCommand.withDaemon { client in
                let picture = try await client.findPicture(id)
                if json {
                    try HistoryCommand.printJSON(picture)
                    return
                }
                try await PictureGallery(client: client)
                    .show(picture, preferring: graphics.kind, environment: environment)
            }
        }
    }

    struct Save: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a picture's file again.",
            discussion:
                "Prints the file's name, which is made from the prompt and the seed unless one is given.")

        @Argument(help: "Its id, the beginning of it, or \"last\".")
        var id: String
        @Option(
            name: .shortAndLong,
            help: ArgumentHelp("A new file, a folder, or - for standard output.", valueName: "file"))
        var output: String?
        @Flag(help: "Replace the file when it is there.")
        var force = false

        func run() async throws {
            let target = PictureTarget(output)
            if target == .standardOutput, StandardStreams.isOutputTerminal {
                throw ValidationError(ImagineCommand.terminalRefusal)
            }
            try await HistoryCommand.withDaemon { client in
                let path = try await PictureGallery(client: client).save(id, to: target, replacing: force)
                if let path { StandardStreams.write(path + "\n", to: 1) }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Erase pictures for good.")

        @Argument(help: "Their ids, the beginnings of them, or \"last\".")
        var ids: [String]

        func run() async throws {
            try await HistoryCommand.withDaemon { client in
                for id in ids {
                    let picture = try await client.findPicture(id)
                    try await client.deletePicture(picture.id)
                    let seed = picture.recipe.seed
                    StandardStreams.write(
                        "Erased \"\(PictureText.prompt(picture))\" (seed \(seed)) for good.\n", to: 1)
                }
            }
        }
    }
}
