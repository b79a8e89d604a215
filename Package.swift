// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A library target of this package, with the settings that all of them share.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The tests of one target, in `Tests/<name>Tests`.
func tests(_ name: String, _ dependencies: [Target.Dependency] = [], fixtures: Bool = false) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + dependencies,
        resources: fixtures ? [.copy("Fixtures")] : [], swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
    name: "inkling",
    products: [
        .executable(name: "inkling", targets: ["inkling"]),
        .executable(name: "inklingd", targets: ["inklingd"]),
    ],
    dependencies: [
        // No traits: its optional configuration reader would pull in full Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    ],
    targets: [
        // Base: the one JSON parser, for bytes that are not trusted, and one hash function.
        library("StrictJSON"),
        library("Digest"),
        // Which tokens a grammar or a JSON schema allows.
        library("Grammars", ["StrictJSON"]),

        // Engine: synchronous functions on values.
        .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
        library("Tensors", ["CKernels"]),
        library("Checkpoints", ["Tensors", "StrictJSON"]),
        library("Tokenizers", ["StrictJSON"]),

        // Picture files.
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"])]),
        .target(
            name: "CImageCodecs", dependencies: ["CPNG", "CWebP"],
            linkerSettings: [.linkedLibrary("webpmux")]),
        library("ImageCodecs", ["CImageCodecs"]),

        // Models.
        library("Llama", ["Tensors", "Checkpoints", "Tokenizers", "StrictJSON", "Grammars"]),
        library("Quantization", ["Llama", "Tensors", "Checkpoints", "Tokenizers"]),

        // The files in Assets, as bytes of the program.
        .target(name: "CAssets"),
        library(
            "StableDiffusion",
            ["CAssets", "Tensors", "Checkpoints", "Tokenizers", "StrictJSON", "ImageCodecs"]),

        // Application: concurrency begins here.
        library("AssistantAPI"),
        library("Settings", [.product(name: "TOMLKit", package: "TOMLKit")]),
        library(
            "ModelHub",
            [
                "AssistantAPI", "Digest", "StrictJSON",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        library("History", ["AssistantAPI", .product(name: "GRDB", package: "GRDB.swift")]),
        library(
            "Assistant",
            [
                "AssistantAPI", "Grammars", "Settings", "History", "Llama", "StableDiffusion", "ImageCodecs",
                "Tensors", "Quantization", "Checkpoints", "Tokenizers", "StrictJSON", "Digest", "ModelHub",
                logging,
            ]),

        // Edges.
        library("HostProcess"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        library(
            "Server",
            [
                "Assistant", "AssistantAPI", "CZlib", "Digest", "History", "HostProcess", "ModelHub",
                "Settings",
                "StrictJSON",
                logging,
            ]
                + [
                    .product(name: "Hummingbird", package: "hummingbird"),
                    .product(name: "HummingbirdCore", package: "hummingbird"),
                    .product(name: "HTTPTypes", package: "swift-http-types"),
                    .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                ] + nio),
        library("Terminal", ["AssistantAPI", "Settings", "ImageCodecs"] + nio),

        // Executables: parse options, build, run.
        .executableTarget(
            name: "inklingd", dependencies: ["Server", "HostProcess", "Settings", argumentParser, logging],
            swiftSettings: settings),
        .executableTarget(
            name: "inkling", dependencies: ["Terminal", argumentParser], swiftSettings: settings),

        // Benchmarks: of chat models, of picture models, of pictures and answers while somebody types.
        .target(name: "BenchmarkSupport", path: "Benchmarks/Support", swiftSettings: settings),
        .executableTarget(
            name: "inkling-bench",
            dependencies: ["Llama", "Tensors", "Tokenizers", "BenchmarkSupport", argumentParser],
            path: "Benchmarks/Engine", swiftSettings: settings),
        .executableTarget(
            name: "inkling-bench-pictures",
            dependencies: ["BenchmarkSupport", "StableDiffusion", "Tensors", argumentParser],
            path: "Benchmarks/Pictures", swiftSettings: settings),
        .executableTarget(
            name: "inkling-bench-live",
            dependencies: ["AssistantAPI", "BenchmarkSupport", "Terminal", argumentParser],
            path: "Benchmarks/Live", swiftSettings: settings),

        .executableTarget(
            name: "inkling-layers", dependencies: ["Tensors"], path: "Benchmarks/Layers",
            swiftSettings: settings),

        tests("StrictJSON"),
        tests("Digest"),
        tests("Grammars"),
        tests("Tensors", ["CKernels"]),
        tests("Checkpoints", fixtures: true),
        tests("Tokenizers", fixtures: true),
        tests("Llama", fixtures: true),
        tests("Quantization", ["Llama", "Checkpoints", "Tensors", "Tokenizers", "Digest"], fixtures: true),
        tests("ImageCodecs", fixtures: true),
        tests("StableDiffusion", fixtures: true),
        tests("AssistantAPI"),
        tests("Settings"),
        // Killed and starved by the history's tests.
        .executableTarget(
            name: "HistoryCrashWriter", dependencies: ["AssistantAPI", "Digest", "History"],
            path: "Tests/Support/HistoryCrashWriter", swiftSettings: settings),
        tests(
            "History",
            ["AssistantAPI", "Digest", "HistoryCrashWriter", .product(name: "GRDB", package: "GRDB.swift")],
            fixtures: true),
        // A hub on loopback that fails in every way, for the tests of pulling.
        .target(
            name: "HubStandIn", dependencies: ["Digest"], path: "Tests/Support/HubStandIn",
            swiftSettings: settings),
        tests("ModelHub", ["AssistantAPI", "HubStandIn"]),
        tests("Assistant"),
        tests("HostProcess"),
        tests("Server", ["HubStandIn", "ModelHub"]),
        tests("Terminal", ["ImageCodecs"], fixtures: true),
        .testTarget(
            name: "EndToEndTests", dependencies: ["AssistantAPI", "Terminal", "inklingd", "inkling"],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
