import Foundation
import Testing

@testable import Settings

@Suite struct ConfigurationTests {
    private func load(
        _ text: String = "", flags: [String: String] = [:], environment: [String: String] = [:]
    ) throws -> Configuration {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, to: "config.toml")
        return try Configuration.load(
            flags: flags, environment: environment.merging(["HOME": "/home/ada"]) { given, _ in given },
            file: file)
    }

    /// The error that a load of this text throws, with the file's name left out of its words.
    private func message(
        _ text: String = "", flags: [String: String] = [:], environment: [String: String] = [:]
    ) throws -> String {
        let error = #expect(throws: ConfigurationError.self) {
            try load(text, flags: flags, environment: environment)
        }
        let words = try #require(error).description
        return words.replacing(/\S*config.toml/, with: "config.toml")
    }

    private var documentedFile: String {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.appending(path: "Config/inkling.toml").path
    }

    @Test func documentedFileHoldsEveryKeyWithItsDefault() throws {
        let file = try ConfigurationFile(path: documentedFile)
        #expect(file.entries.map(\.key).sorted() == ConfigurationKey.all.map(\.name).sorted())
        // Starting from values that no key has by default, every key must bring its own back.
        var configuration = Configuration()
        configuration.server = .init(
            socket: "/x", queueDepth: 1, maxBodyBytes: 1, maxPictureBodyBytes: 1, shutdownGrace: .seconds(1))
        configuration.chat = .init(
            model: "x", system: "x", contextLength: 1, kvCache: .q8, cacheMemory: 1, maxTokens: 1,
            temperature: 9, topK: 1, topP: 0.1, minP: 0.9, repeatPenalty: 9, repeatLastN: 1,
            presencePenalty: 9, frequencyPenalty: 9, pictures: true)
        configuration.picture = .init(model: "x", format: .webp, memory: 1)
        configuration.engine = .init(threads: 9, nice: 9)
        configuration.models = .init(directories: ["/x"])
        configuration.history = .init(enabled: false, path: "/x", undoSeconds: 1)
        configuration.log = .init(level: .critical)
        try ConfigurationReader(home: "/home/ada").apply(file, to: &configuration)
        #expect(configuration == Configuration())
    }

    @Test func flagsPrecedeVariablesPrecedeTheFilePrecedesDefaults() throws {
        let file = "[chat]\ntop_k = 1\ntop_p = 0.1\nmodel = \"file\"\n"
        let environment = ["INKLING_CHAT_TOP_K": "2", "INKLING_CHAT_TOP_P": "0.2"]
        let configuration = try load(file, flags: ["chat.top_k": "3"], environment: environment)
        #expect(configuration.chat.topK == 3)
        #expect(configuration.chat.topP == 0.2)
        #expect(configuration.chat.model == "file")
        #expect(configuration.chat.temperature == Configuration().chat.temperature)
    }

    @Test func ollamasContextLengthCountsLessThanOurOwnFile() throws {
        let environment = ["OLLAMA_CONTEXT_LENGTH": "4096"]
        #expect(try load(environment: environment).chat.contextLength == 4096)
        #expect(try load("[chat]\ncontext_length = 8", environment: environment).chat.contextLength == 8)
    }

    @Test func unknownKeysAreRefusedWithTheirPlaceAndTheNearestKey() throws {
        #expect(
            try message("[chat]\n\n  temprature = 1\n")
                == "config.toml:3:3: unknown key chat.temprature; did you mean chat.temperature?")
        #expect(
            try message("[server]\nmodel = \"x\"\n")
                == "config.toml:2:1: unknown key server.model; did you mean chat.model?")
        #expect(try message("[painting]\n").contains("config.toml:1:1: unknown key painting"))
        #expect(try message("colour = 1\n") == "config.toml:1:1: unknown key colour")
    }

    @Test func unknownVariablesOfOurSectionsAreRefused() throws {
        #expect(
            try message(environment: ["INKLING_CHAT_MODLE": "x"])
                == "variable INKLING_CHAT_MODLE: unknown key INKLING_CHAT_MODLE; did you mean INKLING_CHAT_MODEL?"
        )
        _ = try load(environment: ["INKLING_TEST_MODEL": "x", "INKLINGS": "y"])
    }

    @Test(arguments: [
        (
            "[server]\nqueue = -1",
            "config.toml:2:1: server.queue: expected a whole number in 0...1024, found -1"
        ),
        ("[engine]\nthreads = 1.5", "engine.threads: expected a whole number in 0...256, found 1.5"),
        ("[engine]\nthreads = \"4\"", "engine.threads: expected a whole number in 0...256, found \"4\""),
        ("[chat]\ntop_p = 1.01", "chat.top_p: expected a number in 0.0...1.0, found 1.01"),
        ("[chat]\ntop_p = nan", "chat.top_p: expected a number in 0.0...1.0, found nan"),
        ("[chat]\ntemperature = inf", "chat.temperature: expected a number in 0.0...2.0, found inf"),
        ("[chat]\nkv_cache = \"f32\"", "chat.kv_cache: expected one of \"f16\", \"q8_0\", found \"f32\""),
        ("[chat]\nmodel = \"a/b\"", "chat.model: expected a model's name or an absolute path, found \"a/b\""),
        ("[chat]\nmodel = \"\"", "chat.model: expected a model's name or an absolute path, found \"\""),
        ("[chat]\ncache_memory = \"2 parrots\"", "found \"2 parrots\""),
        ("[chat]\ncache_memory = \"1e99TB\"", "found \"1e99TB\""),
        ("[chat]\ncache_memory = \"99999999999TB\"", "found \"99999999999TB\""),
        ("[memory]\nbudget = \"plenty\"", "(\"auto\", 0, or at least 64MiB), found \"plenty\""),
        ("[memory]\nkeep_alive = -5", "(0s to 365d), or \"forever\", found -5"),
        ("[chat]\nmax_tokens = -1", "chat.max_tokens: expected a whole number in 0...16777216, found -1"),
        ("[chat]\ncache_memory = 1", "(at least 16MiB), found 1"),
        ("[history]\nundo = \"1 week\"", "expected a time such as \"10s\" or \"5m\""),
        ("[history]\nenabled = 1", "history.enabled: expected true or false, found 1"),
        ("[server]\nsocket = \"inkling.sock\"", "expected an absolute path, or one that begins with ~/"),
        ("[models]\ndirectories = [1]", "expected a list of absolute paths"),
        ("[models]\ndirectories = \"/m\"", "expected a list of absolute paths"),
        ("[log]\nlevel = { a = 1 }", "unknown key log.level.a"),
        ("chat = 3", "unknown key chat"),
    ])
    func wrongValuesAreRefusedWithWhatWasExpectedAndFound(text: String, words: String) throws {
        #expect(try message(text).contains(words))
    }

    @Test func sizesAndTimesTakeUnits() throws {
        let sizes = [
            "1073741824": 1 << 30, "\"1GiB\"": 1 << 30, "\"1 GB\"": 1_000_000_000, "\"512MiB\"": 512 << 20,
            "\"1.5gb\"": 1_500_000_000, "\"20000KiB\"": 20_480_000,
        ]
        for (text, bytes) in sizes {
            #expect(try load("[chat]\ncache_memory = \(text)").chat.cacheMemory == bytes)
        }
        for (text, seconds) in ["90": 90, "\"10s\"": 10, "\"5m\"": 300, "\"1.5h\"": 5400, "\"2d\"": 172_800] {
            #expect(try load("[history]\nundo = \(text)").history.undoSeconds == seconds)
        }
        for (text, stay) in ["\"5m\"": Duration.seconds(300), "0": .zero, "\"forever\"": nil, "-1": nil] {
            #expect(try load("[memory]\nkeep_alive = \(text)").memory.keepAlive == stay)
        }
        for (text, bytes) in ["\"auto\"": nil, "0": nil, "\"1GiB\"": 1 << 30] {
            #expect(try load("[memory]\nbudget = \(text)").memory.budget == bytes)
        }
        #expect(try load("[server]\nshutdown_grace = \"1m\"").server.shutdownGrace == .seconds(60))
    }

    @Test func variablesTakeEveryKindOfValue() throws {
        let configuration = try load(environment: [
            "INKLING_SERVER_MAX_BODY": "2MiB", "INKLING_HISTORY_ENABLED": "off", "INKLING_LOG_LEVEL": "debug",
            "INKLING_MODELS_DIRECTORIES": "/a:~/b", "INKLING_CHAT_TEMPERATURE": "0",
            "INKLING_CHAT_SYSTEM": "Be brief.",
            "INKLING_CHAT_MAX_TOKENS": "7", "INKLING_CHAT_KV_CACHE": "q8_0",
        ])
        #expect(configuration.server.maxBodyBytes == 2 << 20)
        #expect(!configuration.history.enabled)
        #expect(configuration.log.level == .debug)
        #expect(configuration.models.directories == ["/a", "/home/ada/b"])
        #expect(configuration.chat.temperature == 0)
        #expect(configuration.chat.system == "Be brief.")
        #expect(configuration.chat.maxTokens == 7)
        #expect(configuration.chat.kvCache == .q8)
        #expect(
            try message(environment: ["INKLING_ENGINE_NICE": "x"]).contains("variable INKLING_ENGINE_NICE"))
        #expect(try message(flags: ["engine.nice": "20"]).contains("flag engine.nice: engine.nice: expected"))
    }

    @Test func tildeMeansTheHomeDirectory() throws {
        #expect(try load("[chat]\nmodel = \"~/m.gguf\"").chat.model == "/home/ada/m.gguf")
        #expect(try load("[history]\npath = \"~/h.db\"").history.path == "/home/ada/h.db")
    }

    @Test func everyPrefixOfTheDocumentedFileLoadsOrThrows() throws {
        let text = try String(contentsOfFile: documentedFile, encoding: .utf8)
        for count in stride(from: 0, to: text.count, by: 7) {
            _ = try? ConfigurationFile(text: String(text.prefix(count)), path: "p")
        }
    }

    @Test func syntaxErrorsNameLineAndColumn() throws {
        #expect(try message("[chat]\nmodel = \n").hasPrefix("config.toml:2:"))
    }

    @Test func whatIsNoTextFileIsRefused() throws {
        let folder = try TemporaryFolder()
        let large = try folder.write(
            String(repeating: "#", count: ConfigurationFile.byteLimit + 1), to: "large")
        let binary = folder.path + "/binary"
        try Data([0x23, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: binary))
        for (path, finding) in [
            (folder.path, "not a regular file"), ("/dev/zero", "not a regular file"), (large, "larger than"),
            (binary, "not UTF-8"), (folder.path + "/none", "No such file"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try Configuration.load(environment: ["HOME": "/h"], file: path)
            }
            #expect("\(try #require(error))".contains(finding))
        }
    }

    @Test func theUsersOwnFileIsFoundAndMayBeMissing() throws {
        let folder = try TemporaryFolder()
        var environment = ["HOME": folder.path]
        #expect(try Configuration.load(environment: environment) == Configuration())
        _ = try folder.write("[engine]\nnice = 7\n", to: ".config/inkling/config.toml")
        #expect(try Configuration.load(environment: environment).engine.nice == 7)
        environment["INKLING_CONFIG"] = try folder.write("[engine]\nnice = 8\n", to: "other.toml")
        #expect(try Configuration.load(environment: environment).engine.nice == 8)
    }
}
