/// The MT19937 generator (Matsumoto and Nishimura 1998): 32 random bits at a time, the same on every machine.
struct MersenneTwister: Sendable {
    private static let size = 624
    private static let middle = 397

    private var state: [UInt32]
    private var position = Self.size

    /// A generator whose state grows from `seed`, as the authors' `init_genrand` does it.
    init(seed: UInt32) {
        state = [seed]
        state.reserveCapacity(Self.size)
        for index in 1..<Self.size {
            let last = state[index - 1]
            state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
        }
    }

    /// The next 32 bits.
    mutating func next() -> UInt32 {
        if position == Self.size { refill() }
        var y = state[position]
        position += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C_5680
        y ^= (y << 15) & 0xEFC6_0000
        return y ^ (y >> 18)
    }

    private mutating func refill() {
        state.withUnsafeMutableBufferPointer { state in
            for index in 0..<Self.size {
                let (this, next) = (state[index], state[(index + 1) % Self.size])
                let mixed = (this & 0x8000_0000) | (next & 0x7FFF_FFFF)
                state[index] =
                    state[(index + Self.middle) % Self.size] ^ (mixed >> 1)
                    ^ (next & 1 == 0 ? 0 : 0x9908_B0DF)
            }
        }
        position = 0
    }
}
