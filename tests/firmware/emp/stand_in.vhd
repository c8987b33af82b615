-- Stands in for the network (TOP is replaced by its name): checks beat by beat that the wrapper gives
-- the words of beats.txt with the right marks, and answers with the words of results.txt after the
-- network's latency.
library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;
use work.TOP_pkg.all;

entity TOP is
    port (
        clk       : in  std_logic;
        rst       : in  std_logic;
        in_valid  : in  std_logic;
        in_first  : in  std_logic;
        in_last   : in  std_logic;
        in_words  : in  std_logic_vector(64 * LANES - 1 downto 0);
        stray     : out std_logic;
        met_valid : out std_logic;
        met_error : out std_logic;
        met_x     : out std_logic_vector(MET_WIDTH - 1 downto 0);
        met_y     : out std_logic_vector(MET_WIDTH - 1 downto 0);
        gt_valid  : out std_logic;
        gt_word   : out std_logic_vector(63 downto 0)
    );
end entity;

architecture stand_in of TOP is
    type word_array is array (natural range <>) of std_logic_vector(63 downto 0);
    signal words : word_array(LATENCY_GT - 1 downto 0) := (others => (others => '0'));
    signal valid : std_logic_vector(LATENCY_GT - 1 downto 0) := (others => '0');
begin
    stray     <= '0';
    met_valid <= '0';
    met_error <= '0';
    met_x     <= (others => '0');
    met_y     <= (others => '0');
    gt_valid  <= valid(LATENCY_GT - 1);
    gt_word   <= words(LATENCY_GT - 1);

    process (clk)
        file expected_beats  : text open read_mode is "beats.txt";
        file answers         : text open read_mode is "results.txt";
        variable row         : line;
        variable expected    : std_logic_vector(64 * LANES - 1 downto 0);
        variable answer      : std_logic_vector(63 downto 0);
        variable beat        : natural := 0;
    begin
        if rising_edge(clk) then
            words <= words(LATENCY_GT - 2 downto 0) & words(0);
            valid <= valid(LATENCY_GT - 2 downto 0) & '0';
            if in_valid = '1' then
                readline(expected_beats, row);
                hread(row, expected);
                assert in_words = expected report "words of a beat differ" severity failure;
                assert (in_first = '1') = (beat = 0) report "first mark" severity failure;
                assert (in_last = '1') = (beat = BEATS - 1) report "last mark" severity failure;
                beat := beat + 1;
                if in_last = '1' then
                    beat := 0;
                    readline(answers, row);
                    hread(row, answer);
                    words(0) <= answer;
                    valid(0) <= '1';
                end if;
            end if;
        end if;
    end process;
end architecture;
