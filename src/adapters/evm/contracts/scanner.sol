// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Many reads in one eth_call. Every inner call has its own gas and its own share of the answer, so that no token can spoil another's.
/// When too little gas is left to give the next call its full share, the whole run reverts instead of blaming the token.
library Scan {
    /// A plain balanceOf takes 3,000 gas, a rebasing one behind proxies up to 150,000.
    uint256 private constant BALANCE_GAS = 400_000;
    uint256 private constant CALL_GAS = 1_000_000;
    /// A cut-off answer still holds the head of any honest symbol.
    uint256 private constant MAX_RETURN = 512;

    /// input[0] is 1 for balances, 2 for calls. The output begins with the same byte.
    function run(bytes memory input) internal view returns (bytes memory) {
        return input[0] == 0x01 ? balances(input) : calls(input);
    }

    /// Input: 0x01, uint16 number of wallets, the wallets, the tokens (20 bytes each).
    /// Output: 0x01, then an entry for each native balance and for each token balance that is not zero: uint32 index, uint8 status, and for
    /// status 0 the uint256 balance. Index: wallet * (tokens + 1), the native balance first. Status: 1 reverted, 2 no code, 3 no word returned.
    /// The last entry has the number of slots for its index and the status 255: an answer without it was cut off.
    function balances(bytes memory input) private view returns (bytes memory output) {
        uint256 callGas = BALANCE_GAS;
        assembly ("memory-safe") {
            let wallets := shr(240, mload(add(input, 33)))
            let walletAt := add(input, 35)
            let tokensAt := add(walletAt, mul(wallets, 20))
            let tokensEnd := add(add(input, 32), mload(input))
            let gasNeeded := add(div(mul(callGas, 64), 63), 20000)
            output := mload(0x40)
            let to := add(output, 33)
            mstore8(sub(to, 1), 1)
            let index := 0
            for {} lt(walletAt, tokensAt) { walletAt := add(walletAt, 20) } {
                let wallet := shr(96, mload(walletAt))
                mstore(to, shl(224, index))
                mstore8(add(to, 4), 0)
                mstore(add(to, 5), balance(wallet))
                to := add(to, 37)
                index := add(index, 1)
                for { let tokenAt := tokensAt } lt(tokenAt, tokensEnd) { tokenAt := add(tokenAt, 20) } {
                    if lt(gas(), gasNeeded) { revert(0, 0) }
                    let token := shr(96, mload(tokenAt))
                    mstore(0, shl(224, 0x70a08231))
                    mstore(4, wallet)
                    let ok := staticcall(callGas, token, 0, 36, 0, 32)
                    let status := 0
                    if iszero(ok) { status := 1 }
                    if and(ok, lt(returndatasize(), 32)) {
                        status := 3
                        if iszero(extcodesize(token)) { status := 2 }
                    }
                    let amount := mload(0)
                    if or(status, iszero(iszero(amount))) {
                        mstore(to, shl(224, index))
                        mstore8(add(to, 4), status)
                        to := add(to, 5)
                        if iszero(status) {
                            mstore(to, amount)
                            to := add(to, 32)
                        }
                    }
                    index := add(index, 1)
                }
            }
            mstore(to, or(shl(224, index), shl(216, 255)))
            to := add(to, 5)
            mstore(output, sub(to, add(output, 32)))
            mstore(0x40, and(add(to, 63), not(31)))
        }
    }

    /// Input: 0x02, then for each call its target (20 bytes), uint16 length and data.
    /// Output: 0x02, then for each call uint8 status (0 ok, 1 reverted, 2 no code), uint32 size of its answer, uint16 number of bytes kept, those bytes.
    function calls(bytes memory input) private view returns (bytes memory output) {
        uint256 callGas = CALL_GAS;
        uint256 maxReturn = MAX_RETURN;
        assembly ("memory-safe") {
            let at := add(input, 33)
            let end := add(add(input, 32), mload(input))
            let gasNeeded := add(div(mul(callGas, 64), 63), 20000)
            output := mload(0x40)
            let to := add(output, 33)
            mstore8(sub(to, 1), 2)
            for {} lt(at, end) {} {
                if lt(gas(), gasNeeded) { revert(0, 0) }
                let target := shr(96, mload(at))
                let length := shr(240, mload(add(at, 20)))
                at := add(at, 22)
                let status := iszero(staticcall(callGas, target, at, length, 0, 0))
                at := add(at, length)
                let size := returndatasize()
                if iszero(or(status, size)) { if iszero(extcodesize(target)) { status := 2 } }
                let kept := size
                if gt(kept, maxReturn) { kept := maxReturn }
                mstore(to, or(or(shl(248, status), shl(216, size)), shl(200, kept)))
                returndatacopy(add(to, 7), 0, kept)
                to := add(add(to, 7), kept)
            }
            mstore(output, sub(to, add(output, 32)))
            mstore(0x40, and(add(to, 63), not(31)))
        }
    }
}

/// Put at an unused address by a state override; the call data is the input as it stands.
contract Scanner {
    fallback(bytes calldata input) external returns (bytes memory) {
        return Scan.run(input);
    }
}

/// For endpoints without state overrides: "deployed" by an eth_call without a recipient, it returns the output in place of code.
contract ScannerOnce {
    constructor(bytes memory input) {
        bytes memory output = Scan.run(input);
        assembly ("memory-safe") {
            return(add(output, 32), mload(output))
        }
    }
}
