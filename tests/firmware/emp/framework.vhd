-- Stand-ins for the packages of the EMP framework and of IPbus that a payload uses, written from the
-- documented names and types; the link word of each generation is in data_types_*.vhd.
library ieee;
use ieee.std_logic_1164.all;

package ipbus is
    type ipb_wbus is record
        ipb_addr   : std_logic_vector(31 downto 0);
        ipb_wdata  : std_logic_vector(31 downto 0);
        ipb_strobe : std_logic;
        ipb_write  : std_logic;
    end record;
    type ipb_rbus is record
        ipb_rdata : std_logic_vector(31 downto 0);
        ipb_ack   : std_logic;
        ipb_err   : std_logic;
    end record;
end package;

package emp_device_decl is
    constant N_REGION : integer := 2;
end package;

package emp_project_decl is
    constant CLOCK_RATIO : integer := 9;
end package;

library ieee;
use ieee.std_logic_1164.all;
use work.emp_device_decl.all;

package emp_ttc_decl is
    type ttc_stuff_t is record
        ttc_cmd : std_logic_vector(7 downto 0);
        l1a     : std_logic;
        bctr    : std_logic_vector(11 downto 0);
        pctr    : std_logic_vector(3 downto 0);
    end record;
    type ttc_stuff_array is array (N_REGION - 1 downto 0) of ttc_stuff_t;
end package;
