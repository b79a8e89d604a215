import AssistantAPI
import Settings
import Testing

@testable import Assistant

struct MachineLimitsTests {
    @Test func quotasAreReadFromControlFiles() {
        #expect(MachineLimits.processorQuota("max 100000\n") == nil)
        #expect(MachineLimits.processorQuota("150000 100000\n") == 1.5)
        #expect(MachineLimits.processorQuota("") == nil)
        #expect(MachineLimits.processorQuota("1 0") == nil)
    }

    @Test func affinityIsReadFromTheStatus() {
        #expect(MachineLimits.allowedProcessors(inStatus: "Name:\tx\nCpus_allowed:\t3\n") == 2)
        #expect(MachineLimits.allowedProcessors(inStatus: "Cpus_allowed:\tff,ffffffff\n") == 40)
        #expect(MachineLimits.allowedProcessors(inStatus: "Name:\tx\n") == nil)
    }

    @Test func memoryIsReadFromControlFiles() {
        #expect(
            MachineLimits.availableMemory(inMeminfo: "MemFree: 5 kB\nMemAvailable:   1024 kB\n") == 1 << 20)
        let statistics = "anon 1\ninactive_file 300\n"
        #expect(
            MachineLimits.availableMemory(maximum: "1000\n", current: "800\n", statistics: statistics) == 500)
        #expect(
            MachineLimits.availableMemory(maximum: "max\n", current: "800\n", statistics: statistics) == nil)
    }

    @Test func theFirstVersionOfControlGroupsIsReadToo() {
        let groups = "5:cpu,memory:/daemons/ink\n1:name=systemd:/x\n0::/second/version\n"
        #expect(MachineLimits.cgroupPath(in: groups, controller: "memory") == "/daemons/ink")
        #expect(MachineLimits.cgroupPath(in: groups, controller: nil) == "/second/version")
        #expect(MachineLimits.cgroupPath(in: groups, controller: "pids") == nil)
        #expect(MachineLimits.limit("9223372036854771712\n") == nil && MachineLimits.limit("max\n") == nil)
        #expect(MachineLimits.limit("1048576\n") == 1 << 20)
        #expect(
            MachineLimits.availableMemory(
                maximum: "1000\n", current: "800\n", statistics: "total_inactive_file 100\n",
                reclaimable: "total_inactive_file") == 300)
    }

    @Test func mostOfTheMemoryIsTheBudget() {
        #expect(MachineLimits.budget(of: 10 << 30) == 8 << 30)
        #expect(MachineLimits.budget(of: 1 << 30) == 512 << 20)
        #expect(MachineLimits.budget(of: 2 << 30) == 3 << 29)
        #expect(MachineLimits.defaultBudget() > 0)
    }

    @Test func thisMachineHasSome() {
        #expect(MachineLimits.threadCount() >= 1)
        #expect((MachineLimits.availableMemory() ?? 0) > 0)
    }

    private func plan(
        weights: Int = 1000, length: Int = 8192, context: Int = 0, cacheMemory: Int = 1 << 30, available: Int?
    ) throws -> Int {
        var chat = Configuration().chat
        chat.contextLength = context
        chat.cacheMemory = cacheMemory
        return try MemoryPlan(
            weights: weights, modelLength: length, bytesPerToken: 10, chat: chat, available: available,
            model: "m"
        ).contextLength
    }

    @Test func theContextGoesAsFarAsModelConfigurationAndMemoryAllow() throws {
        #expect(try plan(available: nil) == 8192)
        #expect(try plan(context: 4096, available: nil) == 4096)
        #expect(try plan(context: 100_000, available: nil) == 8192)
        #expect(try plan(cacheMemory: 40_000, available: nil) == 4000)
        #expect(try plan(available: 1000 + 30_000) == 3000)
    }

    @Test func aModelThatDoesNotFitIsRefusedWithFigures() {
        let error = #expect(throws: AssistantError.self) {
            try plan(weights: 5 << 20, available: 3 << 20)
        }
        #expect(error?.code == .outOfMemory)
        #expect(error?.message.contains("5 MiB") == true)
        #expect(error?.message.contains("3 MiB") == true)
        #expect(throws: AssistantError.self) { try plan(context: 8000, available: 1000 + 70_000) }
    }

    @Test func theProcessKnowsItsOwnMemory() {
        #expect((MachineLimits.residentBytes() ?? 0) > 1 << 20)
    }
}
