import Digest
import Testing

/// The examples of NIST (FIPS 180-4's SHA256.pdf and SHA256ShortMsg.rsp of CAVP), and how messages are cut.
@Suite struct SHA256Tests {
    private static let examples: [(message: [UInt8], digest: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ([0xd3], "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"),
        ([0x11, 0xaf], "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98"),
        ([0x74, 0xba, 0x25, 0x21], "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            Array(repeating: UInt8(ascii: "a"), count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test func theExamplesOfTheStandardComeOut() {
        for (message, digest) in Self.examples { #expect(SHA256.hexadecimal(of: message) == digest) }
    }

    /// Lengths around a block's end, whose padding takes one block or two.
    @Test func howAMessageIsCutDoesNotMatter() {
        for length in [1, 54, 55, 56, 63, 64, 65, 119, 120, 128, 200] {
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let whole = SHA256.hexadecimal(of: message)
            for cut in 0...length {
                var hash = SHA256()
                hash.update(message[..<cut])
                // A sequence without storage of its own.
                hash.update(message[cut...].lazy.map { $0 })
                #expect(SHA256.hexadecimal(hash.finish()) == whole, "\(length) cut at \(cut)")
            }
        }
    }
}
