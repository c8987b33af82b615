-- Plays frames.txt (one clock per line), writes what comes out to out.txt; meanwhile works through
-- ipbus.txt: lines `nanoseconds write address data`, answers in ipbus_out.txt.
library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;
use std.env.all;
use work.emp_device_decl.all;

entity bench is
end entity;

architecture sim of bench is
    constant BITS : positive := 4 * N_REGION * 68;
    signal clk, clk_p      : std_logic := '0';
    signal rst             : std_logic := '1';
    signal address, wdata  : std_logic_vector(31 downto 0) := (others => '0');
    signal strobe, writing : std_logic := '0';
    signal rdata           : std_logic_vector(31 downto 0);
    signal ack             : std_logic;
    signal frames, results : std_logic_vector(BITS - 1 downto 0) := (others => '0');
begin
    clk   <= not clk after 16 ns;
    clk_p <= not clk_p after 1.389 ns;

    payload : entity work.flat_payload
        port map (clk, rst, address, wdata, strobe, writing, rdata, ack, clk_p, rst, frames, results);

    process
        file given     : text open read_mode is "frames.txt";
        file found     : text open write_mode is "out.txt";
        variable row   : line;
        variable value : std_logic_vector(BITS - 1 downto 0);
    begin
        for i in 1 to 40 loop
            wait until rising_edge(clk_p);
        end loop;
        rst <= '0';
        for i in 1 to 4 loop
            wait until rising_edge(clk_p);
        end loop;
        while not endfile(given) loop
            readline(given, row);
            hread(row, value);
            frames <= value;
            wait until falling_edge(clk_p);
            hwrite(row, results);
            writeline(found, row);
            wait until rising_edge(clk_p);
        end loop;
        finish;
    end process;

    process
        file given         : text open read_mode is "ipbus.txt";
        file found         : text open write_mode is "ipbus_out.txt";
        variable row       : line;
        variable delay     : natural;
        variable is_write  : bit;
        variable a, w      : std_logic_vector(31 downto 0);
    begin
        wait until rst = '0';
        while not endfile(given) loop
            readline(given, row);
            read(row, delay);
            read(row, is_write);
            hread(row, a);
            hread(row, w);
            wait for delay * 1 ns;
            wait until rising_edge(clk);
            address <= a;
            wdata   <= w;
            writing <= to_stdulogic(is_write);
            strobe  <= '1';
            wait until rising_edge(clk) and ack = '1' for 10 us;
            assert ack = '1' report "no answer on IPbus" severity failure;
            strobe <= '0';
            hwrite(row, rdata);
            writeline(found, row);
        end loop;
        wait;
    end process;
end architecture;
