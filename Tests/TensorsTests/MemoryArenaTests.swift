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
        for block in blocks { block.base.storeBytes(of: 1, as: UInt8.self) }
        for index in stride(from: 0, to: 10, by: 2) { arena.give(blocks[index]) }
        #expect(arena.keptBytes <= 8 * Self.megabyte)
        for index in stride(from: 1, to: 10, by: 2) { arena.give(blocks[index]) }
        arena.releaseAll()
        #expect(arena.keptBytes == 0)
        let again = arena.take(Self.megabyte)
        #expect(again.base.load(as: UInt8.self) == 0, "pages that the system had back are new")
        arena.give(again)
    }

    @Test func smallPiecesJoinToLargeOnes() {
        let arena = MemoryArena()
        let blocks = (0..<8).map { _ in arena.take(Self.megabyte) }
        for index in [3, 0, 7, 1, 2, 5, 6, 4] { arena.give(blocks[index]) }
        #expect(arena.keptBytes == 8 * Self.megabyte)
        let large = arena.take(8 * Self.megabyte)
        #expect(large.base == blocks[0].base)
        #expect(arena.keptBytes == 0)
        arena.give(large)
    }

    @Test func largePiecesAreCutIntoSmallOnes() {
        let arena = MemoryArena()
        let large = arena.take(8 * Self.megabyte)
        let behind = arena.take(Self.megabyte)
        arena.give(large)
        let small = (0..<8).map { _ in arena.take(Self.megabyte) }
        #expect(small.map(\.base) == (0..<8).map { large.base + $0 * Self.megabyte })
        #expect(arena.keptBytes == 0)
        for block in small + [behind] { arena.give(block) }
        #expect(arena.keptBytes == 9 * Self.megabyte)
    }

    @Test func theSmallestPieceThatFitsIsTaken() {
        let arena = MemoryArena()
        let blocks = [3, 1, 2, 1].map { arena.take($0 * Self.megabyte) }
        arena.give(blocks[0])
        arena.give(blocks[2])
        #expect(arena.take(2 * Self.megabyte).base == blocks[2].base)
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
