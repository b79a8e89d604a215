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

    @Option(help: "For how long.")
    var seconds = 10

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
        /// Resident memory of the daemon, before, at the most and afterwards.
        var bytesBefore: Int
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
        let end = start + .seconds(seconds)
        let path = canvas.path
        async let watch = watch(until: end)
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
        let (health, peak) = try await watch
        await canvas.type("an owl at night", revision: 1 << 40)
        let isSettled = try await canvas.finish().settled.isFinite
        try printJSON(
            Report(
                keystrokes: sent, keystrokesPerSecond: Double(sent) / elapsed,
                healthP99: health.quantile(0.99),
                healthWorst: health.max() ?? 0, bytesBefore: before, bytesPeak: peak,
                bytesAfter: residentBytes(), lastTextSettled: isSettled))
    }

    /// Asks for the daemon's health and reads its memory until the end.
    private func watch(until end: ContinuousClock.Instant) async throws -> (health: [Double], peak: Int) {
        var health: [Double] = []
        var peak = 0
        while ContinuousClock.now < end {
            let start = ContinuousClock.now
            _ = try await daemon.client.health()
            health.append((ContinuousClock.now - start).milliseconds)
            peak = max(peak, residentBytes())
            try await Task.sleep(for: .milliseconds(20))
        }
        return (health, peak)
    }

    private func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(process)/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
