import Testing

@testable import Tensors

@Suite struct MemoryArenaTests {
    static let megabyte = 1 << 20

    @Test func tensorsThatHaveGoneGiveTheirMemoryToTheNext() {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        func address(rows: Int) -> UInt {
            let tensor = operations.makeTensor(rows: rows, columns: 1000)
            return withExtendedLifetime(tensor) { UInt(bitPattern: tensor.floats.baseAddress) }
        }
        let first = address(rows: 1000)
        #expect(address(rows: 1000) == first)
        #expect(address(rows: 950) == first)
        let tensor = operations.makeTensor(rows: 1000, columns: 1000)
        let view = tensor.suffix(from: 3)
        #expect(address(rows: 1000) != first)
        #expect(UInt(bitPattern: view.floats.baseAddress) == first + 12_000)
    }

    @Test func memoryOfOneTensorIsNeverGivenTwice() {
        let operations = Operations(pool: WorkerPool(threadCount: 1))
        var random = SplitMix64(seed: 1)
        var held: [(Tensor, Float)] = []
        for number in 0..<400 {
            let rows = Int.random(in: 1...200, using: &random)
            let tensor = operations.makeTensor(rows: rows, columns: 500)
            for i in tensor.floats.indices { tensor.floats[i] = Float(number) }
            held.append((tensor, Float(number)))
            if held.count > 12 { held.remove(at: Int.random(in: 0..<12, using: &random)) }
            for (tensor, number) in held {
                #expect(tensor.floats.first == number && tensor.floats.last == number)
            }
        }
    }

    @Test func whatIsKeptHasALimit() {
        let arena = MemoryArena(keptLimit: 8 * Self.megabyte)
        let blocks = (1...10).map { arena.take($0 * Self.megabyte) }
        for block in blocks { arena.give(block) }
        #expect(arena.keptBytes <= 8 * Self.megabyte)
        arena.releaseAll()
        #expect(arena.keptBytes == 0)
    }

    @Test func whatIsKeptMakesRoomForWhatIsUsed() {
        let arena = MemoryArena()
        for block in (0..<8).map({ _ in arena.take(Self.megabyte) }) { arena.give(block) }
        #expect(arena.keptBytes == 8 * Self.megabyte)
        let large = arena.take(8 * Self.megabyte)
        #expect(arena.keptBytes <= Self.megabyte)
        #expect(large.bytes == 8 * Self.megabyte)
        arena.give(large)
        arena.releaseAll()
    }

    @Test func blocksMuchLargerThanNeededAreNotGiven() {
        let arena = MemoryArena()
        let large = arena.take(8 * Self.megabyte)
        arena.give(large)
        let small = arena.take(Self.megabyte)
        #expect(small.bytes == Self.megabyte)
        arena.give(small)
    }

    @Test func memoryBeginsAtACacheLineAndIsWritable() {
        let arena = MemoryArena()
        for bytes in [1, 65_537, 3 * Self.megabyte, 4 * Self.megabyte + 1] {
            let block = arena.take(bytes)
            #expect(block.bytes >= bytes && Int(bitPattern: block.base) % 64 == 0)
            block.base.storeBytes(of: 1, toByteOffset: block.bytes - 1, as: UInt8.self)
            arena.give(block)
        }
    }
}
