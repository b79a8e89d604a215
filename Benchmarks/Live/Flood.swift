import ArgumentParser
import AssistantAPI
import BenchmarkSupport
import Foundation
import Terminal

/// Far more keys than anybody types: the daemon must stay small and answer others.
struct Flood: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "A flood of keystrokes.")

    @OptionGroup var daemon: DaemonOptions

    @Option(help: "The daemon's process, whose memory is read.")
    var process: Int

    @Option(help: "The picture model; the daemon's default where none is named.")
    var model: String?

    @Option(help: "Seconds until caches are as full as they become; memory counts from then on.")
    var warmUp = 8

    @Option(help: "Seconds after that.")
    var seconds = 20

    @Option(help: "Keystrokes a second, as far as they are answered; 0 for as many as are.")
    var rate = 10_000

    @Option(help: "Connections that send at the same time.")
    var connections = 8

    private struct Report: Encodable {
        var keystrokes: Int
        var keystrokesPerSecond: Double
        /// Slowest answers of `GET /health` meanwhile, in milliseconds.
        var healthP99: Double
        var healthWorst: Double
        /// Resident memory of the daemon: before, after the warm-up, at the most and afterwards.
        var bytesBefore: Int
        var bytesWarm: Int
        var bytesPeak: Int
        var bytesAfter: Int
        /// Whether the last text's picture came.
        var lastTextSettled: Bool
    }

    func run() async throws {
        let client = daemon.client
        let canvas = try await CanvasPipeline(client, Wanted(model: model))
        await canvas.type("a fox", revision: 1)
        _ = try await canvas.waitUntilSettled()
        let before = residentBytes()
        let start = ContinuousClock.now
        let end = start + .seconds(warmUp + seconds)
        let path = canvas.path
        async let watch = watch(from: start + .seconds(warmUp), until: end)
        let sent = try await withThrowingTaskGroup(of: Int.self) { group in
            for lane in 0..<connections {
                let sender = KeySender(
                    daemon.socket, path, lane: lane, of: connections,
                    rate: rate == 0 ? .infinity : Double(rate) / Double(connections))
                group.addTask { try await sender.send(until: end) }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = (ContinuousClock.now - start).seconds
        let watched = try await watch
        await canvas.type("an owl at night", revision: 1 << 40)
        let isSettled = try await canvas.finish().settled.isFinite
        try printJSON(
            Report(
                keystrokes: sent, keystrokesPerSecond: Double(sent) / elapsed,
                healthP99: watched.health.quantile(0.99),
                healthWorst: watched.health.max() ?? 0, bytesBefore: before, bytesWarm: watched.warm,
                bytesPeak: watched.peak, bytesAfter: residentBytes(), lastTextSettled: isSettled))
    }

    private struct Watched {
        var health: [Double] = []
        /// Resident memory after the warm-up.
        var warm = 0
        var peak = 0
    }

    /// Asks for the daemon's health and reads its memory until the end; `warm` is when the warm-up is over.
    private func watch(
        from warm: ContinuousClock.Instant, until end: ContinuousClock.Instant
    ) async throws -> Watched {
        var watched = Watched()
        while ContinuousClock.now < end {
            let start = ContinuousClock.now
            _ = try await daemon.client.health()
            watched.health.append((ContinuousClock.now - start).milliseconds)
            let bytes = residentBytes()
            watched.peak = max(watched.peak, bytes)
            if watched.warm == 0, start >= warm { watched.warm = bytes }
            try await Task.sleep(for: .milliseconds(20))
        }
        return watched
    }

    private func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
