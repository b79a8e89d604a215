import CKernels
import Foundation
import Synchronization
import Tensors
import Testing

@Suite struct WorkerPoolTests {
    @Test(arguments: [1, 2, 5])
    func everyPartRunsOnce(threads: Int) {
        let pool = WorkerPool(threadCount: threads)
        for parts in [0, 1, 2, 7, 100, 1000] {
            let counts = UnsafeMutablePointer<Int>.allocate(capacity: max(parts, 1))
            defer { counts.deallocate() }
            counts.initialize(repeating: 0, count: max(parts, 1))
            for _ in 0..<20 { pool.run(parts: parts) { counts[$0] += 1 } }
            #expect((0..<parts).allSatisfy { counts[$0] == 20 })
        }
    }

    /// The processors on which the calling thread may run, as the system writes them.
    private static func allowedProcessors() throws -> String {
        let status = try String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        return String(try #require(line))
    }

    @Test func aThreadThatLeavesAProcessorMayGoAnywhereAfterwards() throws {
        let before = try Self.allowedProcessors()
        for processor in [ck_processor(), 0, -1, 1023, 1024, Int32.max, Int32.min] {
            ck_leave_processor(processor)
            #expect(try Self.allowedProcessors() == before, "\(processor)")
        }
        #expect(ck_processor() >= 0)
    }

    @Test func parkedThreadsWakeUp() {
        let pool = WorkerPool(threadCount: 3)
        let total = Atomic<Int>(0)
        for round in 0..<5 {
            // Long enough alone for the others to park.
            pool.run(parts: 2) { part in
                var x = 1.0
                for i in 0..<(part == 0 ? 2_000_000 : 10) { x += 1 / (x + Double(i)) }
                total.add(x > 0 ? 1 : 0, ordering: .relaxed)
            }
            #expect(total.load(ordering: .relaxed) == 2 * (round + 1))
        }
    }

    @Test(arguments: [1, 2, 4])
    func aCheckpointMayRunOtherWorkOnThePool(threads: Int) throws {
        let pool = WorkerPool(threadCount: threads)
        let outer = Atomic<Int>(0)
        let inner = Atomic<Int>(0)
        var nested = 0
        try pool.run(parts: 200) { () throws(Interrupted) in
            nested += 1
            pool.run(parts: 5) { inner.add($0, ordering: .relaxed) }
        } _: { part in
            outer.add(part, ordering: .relaxed)
        }
        #expect(outer.load(ordering: .relaxed) == 199 * 100)
        #expect(inner.load(ordering: .relaxed) == nested * 10)
    }

    @Test(arguments: [1, 2, 4])
    func aPausedJobRestsUntilTheUrgentWorkIsDone(threads: Int) throws {
        let pool = WorkerPool(threadCount: threads)
        let outer = Atomic<Int>(0)
        let inner = Atomic<Int>(0)
        let isPaused = Atomic<Bool>(false)
        let begunInPause = Atomic<Int>(0)
        var pauses = 0
        try pool.run(parts: 200) { () throws(Interrupted) in
            pauses += 1
            pool.pausing {
                isPaused.store(true, ordering: .sequentiallyConsistent)
                for _ in 0..<5 { pool.run(parts: 5) { inner.add($0, ordering: .relaxed) } }
                isPaused.store(false, ordering: .sequentiallyConsistent)
            }
        } _: { part in
            if isPaused.load(ordering: .sequentiallyConsistent) { begunInPause.add(1, ordering: .relaxed) }
            outer.add(part, ordering: .relaxed)
        }
        #expect(outer.load(ordering: .relaxed) == 199 * 100)
        #expect(inner.load(ordering: .relaxed) == pauses * 50)
        #expect(begunInPause.load(ordering: .relaxed) == 0)
        // Outside of a run there is nothing to rest.
        #expect(pool.pausing { pool.threadCount } == threads)
    }

    @Test(arguments: [1, 2, 4])
    func anInterruptedRunLeavesNothingRunning(threads: Int) {
        let pool = WorkerPool(threadCount: threads)
        for limit in 1...20 {
            let caller = pthread_self()
            let running = Atomic<Int>(0)
            let started = Atomic<Int>(0)
            let interrupted = Atomic<Bool>(false)
            var calls = 0
            #expect(throws: Interrupted.self) {
                try pool.run(parts: 10_000) { () throws(Interrupted) in
                    calls += 1
                    guard calls == limit else { return }
                    interrupted.store(true, ordering: .releasing)
                    throw Interrupted()
                } _: { _ in
                    running.add(1, ordering: .relaxed)
                    started.add(1, ordering: .relaxed)
                    // The other threads stay in their first part until the caller has been interrupted.
                    while pthread_equal(pthread_self(), caller) == 0, !interrupted.load(ordering: .acquiring)
                    {
                        sched_yield()
                    }
                    running.subtract(1, ordering: .relaxed)
                }
            }
            #expect(running.load(ordering: .relaxed) == 0)
            #expect(calls == limit)
            if threads == 1 { #expect(started.load(ordering: .relaxed) == limit) }
        }
        // The pool still works.
        let total = Atomic<Int>(0)
        pool.run(parts: 50) { total.add($0, ordering: .relaxed) }
        #expect(total.load(ordering: .relaxed) == 49 * 25)
    }
}
