// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A plain token whose metadata and balances are set from outside: for local chains only.
contract Token {
    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    function set(address owner, uint256 amount) external virtual {
        balanceOf[owner] = amount;
        emit Transfer(address(0), owner, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}

/// Balances that can be set, every answer made by the code that inherits.
abstract contract Odd {
    mapping(address => uint256) internal held;

    function set(address owner, uint256 amount) external {
        held[owner] = amount;
    }

    function balanceOf(address owner) external view virtual returns (uint256) {
        return held[owner];
    }
}

contract Bytes32Metadata is Odd {
    bytes32 public constant symbol = "MKR";
    bytes32 public constant name = "Maker";
    uint256 public constant decimals = 18;
}

contract NoMetadata is Odd {}

contract RevertingMetadata is Odd {
    function symbol() external pure returns (string memory) {
        revert("no symbol");
    }

    function name() external pure returns (string memory) {
        revert();
    }

    function decimals() external pure returns (uint8) {
        revert("no decimals");
    }
}

/// `decimals()` answers with any word, and the names with any bytes.
contract WildMetadata is Odd {
    uint256 public immutable decimals;
    bytes private symbolBytes;
    bytes private nameBytes;

    constructor(uint256 decimals_, bytes memory symbol_, bytes memory name_) {
        decimals = decimals_;
        symbolBytes = symbol_;
        nameBytes = name_;
    }

    function symbol() external view returns (bytes memory) {
        return symbolBytes;
    }

    function name() external view returns (bytes memory) {
        return nameBytes;
    }
}

contract HugeSymbol is Odd {
    uint8 public constant decimals = 18;

    function symbol() external pure returns (string memory) {
        return string(new bytes(1_000_000));
    }

    function name() external pure returns (string memory) {
        return string(new bytes(1_000_000));
    }
}

contract NoBalanceOf {
    string public symbol = "NOBAL";
    uint8 public decimals = 18;
}

contract BalanceReverts {
    string public constant symbol = "RVRT";
    string public constant name = "Reverting balance";
    uint8 public constant decimals = 18;
    bool private broken;

    mapping(address => uint256) private held;

    function set(address owner, uint256 amount) external {
        held[owner] = amount;
    }

    function setBroken(bool isBroken) external {
        broken = isBroken;
    }

    function balanceOf(address owner) external view returns (uint256) {
        require(!broken, "blocked");
        return held[owner];
    }
}

contract BalanceBurnsGas {
    string public constant symbol = "BURN";
    string public constant name = "Gas burner";
    uint8 public constant decimals = 18;

    function balanceOf(address) external view returns (uint256) {
        uint256 sum;
        while (gasleft() > 0) sum += uint256(blockhash(block.number - 1));
        return sum;
    }
}

contract BalanceBombs {
    string public constant symbol = "BOMB";
    string public constant name = "Return bomb";
    uint8 public constant decimals = 18;

    /// Ten thousand words, the first of them 7.
    function balanceOf(address) external pure returns (uint256) {
        assembly {
            mstore(0, 7)
            return(0, 320000)
        }
    }
}

contract BalanceShort {
    string public constant symbol = "SHORT";
    string public constant name = "Short answer";
    uint8 public constant decimals = 18;

    function balanceOf(address) external pure returns (uint256) {
        assembly {
            mstore(0, not(0))
            return(0, 31)
        }
    }
}

contract FeeToken is Odd {
    string public constant symbol = "FEE";
    string public constant name = "Fee on transfer";
    uint8 public constant decimals = 9;

    /// Holders see what is left of their share after a fee of 1 %.
    function balanceOf(address owner) external view override returns (uint256) {
        return (held[owner] / 100) * 99;
    }
}

contract Proxy {
    address private immutable target;

    constructor(address target_) {
        target = target_;
    }

    fallback() external {
        address to = target;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}

/// The part of Multicall3's interface that we use, to stand at its address on local chains.
contract Multicall {
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool ok, bytes memory data) = calls[i].target.call(calls[i].callData);
            require(ok || calls[i].allowFailure, "Multicall3: call failed");
            results[i] = Result(ok, data);
        }
    }

    function getEthBalance(address owner) external view returns (uint256) {
        return owner.balance;
    }

    function getBlockNumber() external view returns (uint256) {
        return block.number;
    }
}

/// A price feed with Chainlink's interface.
contract Aggregator {
    string public description;
    uint8 public immutable decimals;
    uint80 private round;
    int256 private answer;
    uint256 private updatedAt;

    constructor(string memory description_, uint8 decimals_, int256 answer_) {
        description = description_;
        decimals = decimals_;
        set(answer_, block.timestamp);
    }

    function set(int256 answer_, uint256 updatedAt_) public {
        round++;
        answer = answer_;
        updatedAt = updatedAt_;
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (round, answer, updatedAt, updatedAt, round);
    }
}

/// An ENS registry and resolver in one: a node's resolver is this contract, unless another was set.
contract EnsRegistry {
    mapping(bytes32 => address) private addresses;
    mapping(bytes32 => address) private resolvers;

    function set(bytes32 node, address owner) external {
        addresses[node] = owner;
        resolvers[node] = address(this);
    }

    function setResolver(bytes32 node, address resolver_) external {
        resolvers[node] = resolver_;
    }

    function resolver(bytes32 node) external view returns (address) {
        return resolvers[node];
    }

    function addr(bytes32 node) external view returns (address) {
        return addresses[node];
    }
}
